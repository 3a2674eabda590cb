//! The files of the log, `switchhook-20260131T081500.log`: one a day at least, none much longer than 64 MB, and another
//! one whenever it is asked for. A start goes on with the last one of the day.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Wall;
use crate::store::{file_time, kept, parse_file_time};

/// From this size on a file is followed by another, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Where another file can't be begun, so much more goes into the present one before it is tried again, in bytes.
const TRY_AGAIN_AFTER_BYTES: u64 = 1 << 20;
/// From one file that was asked for to the next, at least, in milliseconds: who asks all day must not push out the others.
const ASKED_AFTER_MS: i64 = 60_000;
/// Who logs and the group read it; addresses and extensions are nobody else's business.
const FILE_MODE: u32 = 0o640;

/// The files of a folder; a clone writes to the same one.
#[derive(Clone, Debug)]
pub struct LogFiles {
    present: Arc<Mutex<Present>>,
}

#[derive(Debug)]
struct Present {
    folder: PathBuf,
    keep: usize,
    now: fn() -> Wall,
    file_bytes_max: u64,
    file: File,
    day: String,
    bytes: u64,
    /// When a file was asked for last.
    asked_at: Option<Wall>,
    /// Where it is followed by another.
    bytes_max: u64,
}

impl LogFiles {
    /// Goes on with the last file of this day, or begins one; the newest `keep` (at least one) are kept, and the last one of
    /// each of the last `keep` days.
    ///
    /// # Errors
    /// The folder can't be made or written.
    pub fn open(folder: &Path, keep: u32, file_bytes_max: u64, now: fn() -> Wall) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let day = day_of(now());
        let last = names_in(folder)?.pop().filter(|name| name.contains(&format!("-{day}T")));
        let going_on = match last {
            Some(name) => {
                let file = OpenOptions::new().append(true).open(folder.join(name))?;
                let bytes = file.metadata()?.len();
                (bytes < file_bytes_max).then_some((file, bytes))
            }
            None => None,
        };
        let keep = usize::try_from(keep.max(1)).unwrap_or(usize::MAX);
        let (file, bytes) = match going_on {
            Some(going_on) => going_on,
            None => (begin(folder, now())?.0, 0),
        };
        prune(folder, keep);
        let (folder, bytes_max) = (folder.to_owned(), file_bytes_max);
        let present = Present { folder, keep, now, file_bytes_max, file, day, bytes, asked_at: None, bytes_max };
        Ok(Self { present: Arc::new(Mutex::new(present)) })
    }

    /// Closes the present file and begins another, whose path is given.
    ///
    /// # Errors
    /// It can't be made, or another was asked for within a minute; the present one goes on.
    pub fn begin_another(&self) -> io::Result<PathBuf> {
        let mut present = self.present();
        let now = (present.now)();
        let is_too_soon = |asked: Wall| (0..ASKED_AFTER_MS).contains(&now.0.saturating_sub(asked.0));
        if present.asked_at.is_some_and(is_too_soon) {
            return Err(io::Error::other("the present file was begun less than a minute ago"));
        }
        let path = present.begin_another()?;
        present.asked_at = Some(now);
        Ok(path)
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        // Whoever panicked has left a file that can still be written to.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for LogFiles {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.present().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.present().file.flush()
    }
}

impl Present {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_over = self.bytes >= self.bytes_max || day_of((self.now)()) != self.day;
        if is_over && self.begin_another().is_err() {
            self.day = day_of((self.now)());
            self.bytes_max = self.bytes.saturating_add(TRY_AGAIN_AFTER_BYTES);
        }
        let written = self.file.write(bytes)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn begin_another(&mut self) -> io::Result<PathBuf> {
        let now = (self.now)();
        let (file, path) = begin(&self.folder, now)?;
        // The last lines are on the disk when the file is said to be closed; where they can't be, the new one is no worse.
        let _ = self.file.sync_all();
        (self.file, self.day, self.bytes, self.bytes_max) = (file, day_of(now), 0, self.file_bytes_max);
        prune(&self.folder, self.keep);
        Ok(path)
    }
}

/// Makes a new file whose name comes after all others, whatever the clock says.
fn begin(folder: &Path, now: Wall) -> io::Result<(File, PathBuf)> {
    let last = names_in(folder)?.pop().and_then(|name| time_of(&name));
    let at = last.map_or(now, |last| now.max(Wall(last.0.saturating_add(1000))));
    let path = folder.join(format!("switchhook-{}.log", file_time(at)));
    let file = OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(&path)?;
    Ok((file, path))
}

/// Deletes the files that are not kept; what can't be deleted now is deleted with the next one.
fn prune(folder: &Path, keep: usize) {
    let mut names = names_in(folder).unwrap_or_default();
    names.reverse();
    let days: Vec<Option<String>> = names.iter().map(|name| time_of(name).map(day_of)).collect();
    for (name, _) in names.iter().zip(kept(&days, keep)).filter(|(_, kept)| !kept) {
        let _ = fs::remove_file(folder.join(name));
    }
}

/// The names that are ours, oldest first.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && time_of(&name).is_some()
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn time_of(name: &str) -> Option<Wall> {
    parse_file_time(name.strip_prefix("switchhook-")?.strip_suffix(".log")?)
}

/// Such as `20260131`, in UTC as the lines have it.
fn day_of(at: Wall) -> String {
    file_time(at).chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tempfile::TempDir;

    use super::*;

    /// 2026-03-01T23:30:00Z.
    const EVENING: i64 = 1_772_407_800_000;

    thread_local! {
        static NOW: Cell<i64> = const { Cell::new(EVENING) };
    }

    fn now() -> Wall {
        Wall(NOW.get())
    }

    fn empty() -> TempDir {
        NOW.set(EVENING);
        TempDir::new().expect("a folder")
    }

    fn open(folder: &TempDir, keep: u32) -> LogFiles {
        LogFiles::open(folder.path(), keep, 20, now).expect("a log")
    }

    /// Names and contents of all files.
    fn files(folder: &TempDir) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry"))
            .map(|entry| (entry.file_name(), fs::read_to_string(entry.path()).expect("text")))
            .map(|(name, text)| (name.into_string().expect("a name"), text))
            .collect();
        all.sort();
        all
    }

    fn file(time: &str, text: &str) -> (String, String) {
        (format!("switchhook-{time}.log"), text.to_owned())
    }

    #[test]
    fn a_start_goes_on_with_the_last_file_of_the_day() {
        let folder = empty();
        open(&folder, 3).write_all(b"one\n").expect("written");
        NOW.set(EVENING + 60_000);
        open(&folder, 3).write_all(b"two\n").expect("written");
        assert_eq!(files(&folder), [file("20260301T233000", "one\ntwo\n")]);
        NOW.set(EVENING + 1_800_000);
        open(&folder, 3).write_all(b"three\n").expect("written");
        assert_eq!(files(&folder)[1], file("20260302T000000", "three\n"));
    }

    #[test]
    fn another_day_another_size_and_a_wish_begin_another_file() {
        let folder = empty();
        fs::write(folder.path().join("notes.txt"), "not ours").expect("written");
        let mut log = open(&folder, 4);
        log.write_all(b"0123456789012345678901\n").expect("written");
        log.write_all(b"two\n").expect("written");
        let path = log.begin_another().expect("another");
        assert!(path.ends_with("switchhook-20260301T233002.log"), "never one that is there: {path:?}");
        log.write_all(b"three\n").expect("written");
        NOW.set(EVENING + 1_800_000);
        log.write_all(b"four\n").expect("written");
        let texts: Vec<String> = files(&folder).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["not ours", "0123456789012345678901\n", "two\n", "three\n", "four\n"]);
    }

    #[test]
    fn the_oldest_make_room_and_what_is_not_ours_stays() {
        let folder = empty();
        let strangers = ["notes.txt", "switchhook-2020.log", "switchhook.db"];
        for name in strangers {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let log = open(&folder, 2);
        NOW.set(EVENING - 86_400_000);
        for _ in 0..4 {
            NOW.set(NOW.get() + ASKED_AFTER_MS);
            log.begin_another().expect("another");
        }
        let names: Vec<String> = files(&folder).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 2 + strangers.len(), "{names:?}");
        assert!(names.contains(&file("20260301T233004", "").0), "the newest, though the clock was set back: {names:?}");
    }

    #[test]
    fn who_asks_all_day_pushes_out_no_other_day() {
        let folder = empty();
        for day in 0..4 {
            NOW.set(EVENING + day * 86_400_000);
            open(&folder, 3).write_all(format!("day {day}\n").as_bytes()).expect("written");
        }
        let log = open(&folder, 3);
        log.begin_another().expect("another");
        let refused = log.begin_another().expect_err("at once").to_string();
        assert!(refused.contains("less than a minute ago"), "{refused}");
        for _ in 0..9 {
            NOW.set(NOW.get() + ASKED_AFTER_MS);
            log.begin_another().expect("another");
        }
        let texts: Vec<String> = files(&folder).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["day 1\n", "day 2\n", "", "", ""], "the last of two days before, and the newest three");
    }

    #[test]
    fn a_folder_that_is_gone_loses_no_line_of_the_present_file() {
        let folder = empty();
        let mut log = open(&folder, 2);
        log.write_all(b"0123456789012345678901\n").expect("written");
        fs::remove_dir_all(folder.path()).expect("removed");
        log.write_all(b"two\n").expect("into the file that is still open");
        assert!(log.begin_another().is_err());
        assert!(LogFiles::open(Path::new("/proc/nowhere"), 2, 20, now).is_err());
    }
}
