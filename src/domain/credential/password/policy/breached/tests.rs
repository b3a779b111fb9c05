//! The file, its damages, and lists of every shape.

use std::fs;

use super::*;

/// The SHA-1 of a password, as a list has it.
fn sha1(password: &str) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

fn build(list: &str, out: &Path) -> Result<Built, String> {
    Hashes::read(list.as_bytes(), out.parent().unwrap())?.write(out, || {})
}

#[test]
fn a_list_in_any_order_and_notation_has_all_its_passwords_and_hardly_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("breached.filter");
    let mut lines: Vec<_> = (0..20_000).map(|number| format!("{}:{}", sha1(&number.to_string()), number + 1)).collect();
    let mut sorted = lines.clone();
    sorted.sort();
    lines.extend(lines.clone());
    let bare = sorted.iter().map(|line| line[..40].to_lowercase()).collect::<Vec<_>>();
    for list in [sorted.join("\n"), lines.join("\r\n"), bare.join("\n\n") + "\n"] {
        let built = build(&list, &out).unwrap();
        assert_eq!((built.hashes, built.bytes), (20_000, fs::metadata(&out).unwrap().len()));
        let opened = BreachedPasswords::open(&out).unwrap();
        assert_eq!(opened.hashes(), 20_000);
        let has = |number: i32| opened.contains(&Password::new(&number.to_string())).unwrap();
        assert!((0..20_000).all(has));
        let mistakes = (20_000..120_000).filter(|number| has(*number)).count();
        assert!(mistakes <= 8, "{mistakes} of 100,000");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file stays");
}

#[test]
fn lists_with_one_hash_and_with_one_prefix_work() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("breached.filter");
    for count in 1..=12 {
        // The first 16 of 40 digits decide.
        let list: Vec<_> = (0..count).map(|number| format!("00{number:014X}{:024X}", 7)).collect();
        assert_eq!(build(&(list.join("\n") + "\n" + &sha1("qwerty")), &out).unwrap().hashes, count + 1);
        let opened = BreachedPasswords::open(&out).unwrap();
        assert!((0..count).all(|key| opened.contains_key(key).unwrap()));
        assert!(opened.contains(&Password::new("qwerty")).unwrap());
        assert!(!opened.contains(&Password::new("seven otters at noon")).unwrap());
    }
}

#[test]
fn larger_lists_have_more_shards() {
    use super::build::bits;
    let expected = [(1, 8), (8_388_608, 8), (8_388_609, 9), (1_300_000_000, 16), (u64::MAX / 2, 20)];
    assert_eq!(expected.map(|(hashes, _)| (hashes, bits(hashes))), expected);
}

#[test]
fn wrong_lines_are_named_by_number_and_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("breached.filter");
    let right = sha1("qwerty");
    for (line, words) in [
        ("hunter2", "40 hexadecimal digits, the hash of a password and not the password"),
        (&right[1..], "40 hexadecimal"),
        (&format!("{right}0"), "40 hexadecimal"),
        (&right.replace(&right[..1], "g"), "40 hexadecimal"),
        (&format!("+{}", &right[1..]), "40 hexadecimal"),
        (&right[..32], "NTLM or MD5"),
        (&format!("{}:3", &right[5..]), "5 digits of its range"),
        (&format!("{right}:"), "HASH:COUNT"),
        (&format!("{right}:many"), "HASH:COUNT"),
        (&format!("{right}:-1"), "HASH:COUNT"),
        (&"hunter2".repeat(1_000), "the rest was not read"),
    ] {
        let wrong = build(&format!("{right}:1\n\n{line}\n"), &out).unwrap_err();
        assert!(wrong.contains("\n  line 3 ") && wrong.contains(words), "{line}: {wrong}");
        assert!(!wrong.contains("hunter2") && !wrong.contains(&right[8..16]), "{wrong}");
    }
    let all = build(&"no hash\n".repeat(50), &out).unwrap_err();
    assert_eq!(all.lines().count(), 12, "{all}");
    for empty in ["", "\n\r\n", &format!("{right}:0\n")] {
        assert!(build(empty, &out).unwrap_err().contains("no hashes"), "{empty:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn a_file_that_is_foreign_damaged_or_cut_off_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("breached.filter");
    build(&(0..3_000).map(|number| sha1(&number.to_string()) + "\n").collect::<String>(), &out).unwrap();
    let file = fs::read(&out).unwrap();
    let wrong = |bytes: &[u8]| {
        fs::write(&out, bytes).unwrap();
        BreachedPasswords::open(&out).err().unwrap_or_default()
    };
    assert_eq!(wrong(&file), "");
    for foreign in [&b""[..], b"doorcode", &[0; 100], sha1("qwerty").as_bytes()] {
        assert!(wrong(foreign).contains("not a list made by `doorcode breached build`"), "{foreign:?}");
    }
    let header = START + (filter::DESCRIPTOR << MIN_BITS) + CHECKSUM;
    for length in [START, header - 1, header, file.len() - 1] {
        assert!(wrong(&file[..length]).contains("incomplete"), "{length}: {}", wrong(&file[..length]));
    }
    assert!(wrong(&[&file[..], &[0]].concat()).contains("incomplete"));
    for at in 0..header {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        assert_ne!(wrong(&damaged), "", "byte {at}");
    }
    let mut newer = file.clone();
    newer[16] = 2;
    assert!(wrong(&newer).contains("version 2"));
    fs::remove_file(&out).unwrap();
    assert!(BreachedPasswords::open(&out).err().unwrap().contains("cannot be read"));
    assert!(BreachedPasswords::open(folder.path()).err().unwrap().contains("cannot be read"));
}

#[test]
fn a_list_that_is_truncated_while_it_is_open_is_an_error_and_not_an_absence() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("breached.filter");
    build(&sha1("qwerty"), &out).unwrap();
    let opened = BreachedPasswords::open(&out).unwrap();
    File::options().write(true).open(&out).unwrap().set_len(100).unwrap();
    assert!(opened.contains(&Password::new("qwerty")).is_err());
    build(&sha1("other"), &out).unwrap();
    let replaced = BreachedPasswords::open(&out).unwrap();
    assert!(replaced.contains(&Password::new("other")).unwrap());
}

#[test]
fn two_builds_of_one_file_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("breached.filter");
    let other = File::create(folder.path().join("breached.filter.part")).unwrap();
    other.lock().unwrap();
    assert!(build(&sha1("qwerty"), &out).err().unwrap().contains("another process"));
    assert!(!out.exists());
    drop(other);
    build(&sha1("qwerty"), &out).unwrap();
}
