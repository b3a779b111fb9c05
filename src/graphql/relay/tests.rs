//! Tests of ids, cursors and pages.

use super::*;

#[test]
fn an_id_is_refused_where_another_type_is_expected() {
    let id = encode(Kind::Session, Uuid::max());
    assert_eq!(decode_as(Kind::Session, &id).unwrap(), Uuid::max());
    assert!(decode_as(Kind::Device, &id).is_err());
    assert!(Page::by_id(None, Some(&id), None, None).is_err());
    assert!(decode(&cursor(Uuid::max()).into()).is_err());
    for forged in ["", "x", "U", "' OR 1=1 --", "é".repeat(12).as_str(), &"A".repeat(10_000)] {
        assert!(decode(&forged.into()).is_err(), "{forged}");
    }
}

#[test]
fn a_user_id_is_an_api_id_or_a_hyphenated_uuid() {
    let uuid = Uuid::from_u128(0x0190_a8f1_0000_7000_8000_0000_0000_0001);
    for id in [encode(Kind::User, uuid), uuid.to_string().into(), uuid.to_string().to_uppercase().into()] {
        assert_eq!(decode_user("id", &id).unwrap(), uuid, "{id:?}");
    }
    let forms = [uuid.simple().to_string(), uuid.urn().to_string(), uuid.braced().to_string()];
    for forged in forms.into_iter().map(ID::from).chain([encode(Kind::Session, uuid)]) {
        assert!(decode_user("id", &forged).is_err(), "{forged:?}");
    }
}

#[test]
fn an_id_of_an_application_type_is_refused_where_another_type_is_expected() {
    let (note, list) = (OwnKind::new('n'), OwnKind::new('l'));
    let id = note.encode(Uuid::max());
    assert_eq!(note.decode("id", &id).unwrap(), Uuid::max());
    assert!(list.decode("id", &id).is_err());
    assert!(decode(&id).is_err());
    assert!(note.decode("id", &encode(Kind::User, Uuid::max())).is_err());
}

#[test]
fn a_text_cursor_continues_after_its_text() {
    let page = Page::by_text(None, Some(&text_cursor("Übung")), None, None).unwrap();
    assert_eq!(page.after.as_deref(), Some("Übung"));
    for forged in ["x", "%", &cursor(Uuid::max())] {
        assert!(Page::by_text(None, Some(forged), None, None).is_err(), "{forged}");
    }
    assert!(Page::by_id(None, Some(&text_cursor("Übung")), None, None).is_err());
}

#[test]
fn a_page_has_a_maximum_and_one_direction() {
    assert!(Page::by_id(Some(101), None, None, None).is_err());
    assert!(Page::by_id(Some(-1), None, None, None).is_err());
    assert!(Page::by_id(Some(1), None, Some(1), None).is_err());
    let page = Page::by_id(None, None, Some(2), None).unwrap();
    let (rows, info) = page.cut(vec![3, 2, 1], |row| format!("<{row}>"));
    assert_eq!(rows, [("<2>".to_owned(), 2), ("<3>".to_owned(), 3)]);
    assert!(info.has_previous_page && !info.has_next_page);
}
