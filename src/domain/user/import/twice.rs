//! Finds addresses and ids that are in two rows of a file. Their hashes are distributed over temporary files, which are
//! then sorted one at a time, so memory does not grow with the file.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _},
    path::Path,
};

use super::{Problem, row::Row};
use crate::{
    domain::vault,
    error::{Error, Result},
};

const BUCKETS: usize = 64;
const HASH: usize = 16;
const NUMBER: usize = size_of::<u64>();
const ENTRY: usize = HASH + NUMBER;

/// The hashes of one field, in files that have no name and disappear with the process.
struct Field {
    name: &'static str,
    buckets: Vec<BufWriter<File>>,
}

pub(super) struct Twice {
    email: Field,
    external_id: Field,
}

impl Twice {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let bucket = |_| Ok(BufWriter::new(tempfile::tempfile_in(folder)?));
        let field = |name| -> Result<Field> {
            let buckets = (0..BUCKETS).map(bucket).collect::<io::Result<_>>().map_err(failed)?;
            Ok(Field { name, buckets })
        };
        Ok(Self { email: field("email")?, external_id: field("externalId")? })
    }

    pub(super) fn add(&mut self, row: &Row) -> Result<()> {
        self.email.add(row.email.as_str(), row.line)?;
        row.external_id.as_deref().map_or(Ok(()), |id| self.external_id.add(id, row.line))
    }

    /// Reports every row whose address or id is in an earlier row too.
    pub(super) fn find(self, mut report: impl FnMut(Problem)) -> Result<()> {
        for Field { name, buckets } in [self.email, self.external_id] {
            for bucket in buckets {
                for pair in load(bucket).map_err(failed)?.windows(2) {
                    let ((hash, first), (next, line)) = (pair[0], pair[1]);
                    if hash == next {
                        let what = format!("is the same as in line {first}: write one row for each user");
                        report(Problem { line, field: Some(name), what });
                    }
                }
            }
        }
        Ok(())
    }
}

impl Field {
    fn add(&mut self, value: &str, line: u64) -> Result<()> {
        let digest = vault::sha256(value.as_bytes());
        let hash = &digest.as_bytes()[..HASH];
        let bucket = &mut self.buckets[usize::from(hash[0]) % BUCKETS];
        bucket.write_all(hash).and_then(|()| bucket.write_all(&line.to_be_bytes())).map_err(failed)
    }
}

fn load(bucket: BufWriter<File>) -> io::Result<Vec<([u8; HASH], u64)>> {
    let mut file = bucket.into_inner()?;
    file.rewind()?;
    let count = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)? / ENTRY;
    let (mut entries, mut reader) = (Vec::with_capacity(count), BufReader::new(file));
    for _ in 0..count {
        let (mut hash, mut number) = ([0; HASH], [0; NUMBER]);
        reader.read_exact(&mut hash)?;
        reader.read_exact(&mut number)?;
        entries.push((hash, u64::from_be_bytes(number)));
    }
    entries.sort_unstable();
    Ok(entries)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Startup(format!("cannot use a temporary file: {error}"))
}
