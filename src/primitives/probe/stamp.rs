//! When a line of a log was written, as it says itself: RFC 3339 and its relatives, the common log format, syslog, seconds since 1970.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

/// How far into a line its time is looked for, in characters.
const HEAD: usize = 256;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Names of JSON's fields that hold seconds since 1970.
const EPOCHS: [&str; 3] = ["\"ts\":", "\"time\":", "\"timestamp\":"];

/// The time in a line. `zone` is that of lines that do not say theirs; `now` tells the year where none is written.
pub(super) fn stamp(line: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let head = line.char_indices().nth(HEAD).map_or(line, |(end, _)| &line[..end]);
    let bytes = head.as_bytes();
    for at in 0..bytes.len() {
        // A number that goes on before or after is another number.
        if at > 0 && bytes[at - 1].is_ascii_digit() {
            continue;
        }
        let rest = &head.get(at..)?;
        if let Some(found) = iso(rest, zone).or_else(|| common(rest)) {
            return Some(found);
        }
        if MONTHS.iter().any(|month| rest.starts_with(month))
            && let Some(found) = syslog(rest, zone, now)
        {
            return Some(found);
        }
    }
    epoch(head)
}

/// `2026-03-01T12:34:56.789Z`, with a space or a `T`, a `.` or a `,`, dashes or slashes, and any offset or none.
fn iso(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let b = text.as_bytes();
    let shape = b.len() >= 19
        && matches!((b[4], b[7]), (b'-', b'-') | (b'/', b'/'))
        && matches!(b[10], b'T' | b't' | b' ')
        && (b[13], b[16]) == (b':', b':');
    if !shape {
        return None;
    }
    let n = |from: usize, to: usize| digits(text, from, to);
    let (date, time) = ((n(0, 4)?, n(5, 7)?, n(8, 10)?), (n(11, 13)?, n(14, 16)?, n(17, 19)?));
    let mut rest = &text[19..];
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let length = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let kept = &fraction[..length.min(9)];
        nanos = format!("{kept:0<9}").parse::<i32>().ok()?;
        rest = &fraction[length..];
    }
    at(date, time, nanos, offset(rest), zone)
}

/// `01/Mar/2026:12:34:56 +0100`, as web servers write it.
fn common(text: &str) -> Option<Timestamp> {
    let b = text.as_bytes();
    let shape = b.len() >= 20 && (b[2], b[6]) == (b'/', b'/') && (b[11], b[14], b[17]) == (b':', b':', b':');
    if !shape {
        return None;
    }
    let month = month(text.get(3..6)?)?;
    let n = |from: usize, to: usize| digits(text, from, to);
    let (date, time) = ((n(7, 11)?, month, n(0, 2)?), (n(12, 14)?, n(15, 17)?, n(18, 20)?));
    at(date, time, 0, offset(&text[20..]), &TimeZone::UTC)
}

/// `Mar  1 12:34:56`, without a year: the latest one that is not in the future.
fn syslog(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let b = text.as_bytes();
    if b.len() < 15 || b[3] != b' ' || (b[6], b[9], b[12]) != (b' ', b':', b':') {
        return None;
    }
    let (month, day) = (month(&text[..3])?, text.get(4..6)?.trim_start().parse().ok()?);
    let n = |from: usize, to: usize| digits(text, from, to);
    let time = (n(7, 9)?, n(10, 12)?, n(13, 15)?);
    let year = i32::from(zone.to_datetime(now).year());
    let latest = now.checked_add(Span::new().hours(24)).ok()?;
    // The 29th of February is not in every year.
    let years = (year - 3..=year + 1).rev().filter_map(|year| at((year, month, day), time, 0, None, zone));
    years.into_iter().find(|found| *found <= latest)
}

/// `"ts":1772368496.789`, or in milliseconds, as structured logs write it.
fn epoch(text: &str) -> Option<Timestamp> {
    let after = EPOCHS.iter().find_map(|name| text.split_once(name)).map(|(_, after)| after.trim_start())?;
    let length = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let whole: i64 = after[..length].parse().ok()?;
    match length {
        10 => Timestamp::from_second(whole).ok(),
        13 => Timestamp::from_millisecond(whole).ok(),
        _ => None,
    }
}

fn digits(text: &str, from: usize, to: usize) -> Option<i32> {
    let part = text.get(from..to)?;
    if part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None }
}

fn month(name: &str) -> Option<i32> {
    MONTHS.iter().position(|month| *month == name).and_then(|n| i32::try_from(n + 1).ok())
}

/// `Z`, `+01:00`, `-0700`, maybe after a space.
fn offset(text: &str) -> Option<Offset> {
    let text = text.strip_prefix(' ').unwrap_or(text);
    if text.starts_with(['Z', 'z']) || text.starts_with("UTC") || text.starts_with("GMT") {
        return Some(Offset::UTC);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(text, 1, 3)?;
    let minutes = digits(text, 3, 5).or_else(|| digits(text, 4, 6).filter(|_| text.as_bytes().get(3) == Some(&b':')));
    Offset::from_seconds(sign * (hours * 3600 + minutes.unwrap_or(0) * 60)).ok()
}

fn at(
    date: (i32, i32, i32),
    time: (i32, i32, i32),
    nanos: i32,
    offset: Option<Offset>,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let small = |n: i32| i8::try_from(n).ok();
    // A leap second is the last one of its minute.
    let second = small(time.2.min(59))?;
    let year = i16::try_from(date.0).ok()?;
    let civil =
        DateTime::new(year, small(date.1)?, small(date.2)?, small(time.0)?, small(time.1)?, second, nanos).ok()?;
    match offset {
        Some(offset) => offset.to_timestamp(civil).ok(),
        None => zone.to_timestamp(civil).ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().expect("a time")
    }

    fn read(line: &str) -> Option<String> {
        stamp(line, &TimeZone::UTC, now()).map(|found| found.to_string())
    }

    #[test]
    fn the_times_that_logs_bear_are_read() {
        for (line, time) in [
            ("2026-03-01T10:11:12Z ERROR x", "2026-03-01T10:11:12Z"),
            ("2026-03-01T10:11:12.345678+02:00 x", "2026-03-01T08:11:12.345678Z"),
            ("2026-03-01 10:11:12,345 [main] WARN", "2026-03-01T10:11:12.345Z"),
            ("2026/03/01 10:11:12 [error] 123#0: nginx", "2026-03-01T10:11:12Z"),
            ("[2026-03-01 10:11:12 -0130] x", "2026-03-01T11:41:12Z"),
            (r#"{"level":"error","time":"2026-03-01T10:11:12Z"}"#, "2026-03-01T10:11:12Z"),
            (r#"10.0.0.1 - - [01/Mar/2026:11:11:12 +0100] "GET / HTTP/1.1" 500"#, "2026-03-01T10:11:12Z"),
            ("<34>Mar  1 10:11:12 db-1 postgres[77]: x", "2026-03-01T10:11:12Z"),
            ("Dec 31 23:59:60 host x", "2025-12-31T23:59:59Z"),
            (r#"{"ts":1772359872.5,"msg":"x"}"#, "2026-03-01T10:11:12Z"),
            (r#"{"timestamp": 1772359872000}"#, "2026-03-01T10:11:12Z"),
        ] {
            assert_eq!(read(line).as_deref(), Some(time), "{line}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for line in [
            "",
            "no time",
            "2026-13-01T10:11:12Z",
            "12026-03-01T10:11:12Z",
            "    at com.example.Main(Main.java:42)",
            "Mars 1 10:11:12",
            "\"ts\":12",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        assert_eq!(read(&format!("{}2026-03-01T10:11:12Z", "é".repeat(250))), None, "it stands too far behind");
    }

    #[test]
    fn a_line_without_an_offset_is_in_the_zone_of_its_log() {
        let zone = TimeZone::fixed(Offset::from_hours(2).expect("an offset"));
        let found = |line| stamp(line, &zone, now()).expect("a time").to_string();
        assert_eq!(found("2026-03-01 10:11:12 x"), "2026-03-01T08:11:12Z");
        assert_eq!(found("2026-03-01 10:11:12Z x"), "2026-03-01T10:11:12Z");
        assert_eq!(found("Mar  1 10:11:12 x"), "2026-03-01T08:11:12Z");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(line in "[0-9TZ:/.,+ A-Zé\\-\\[\"]{0,60}") {
            let _ = read(&line);
        }
    }
}
