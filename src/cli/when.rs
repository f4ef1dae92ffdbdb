//! Moments as people give them on the command line.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::Span;
use crate::system::{Clock as _, SystemClock};

/// `7d` ago, a day, or a moment of a day; without a zone, UTC.
pub(super) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(span) = text.parse::<Span>() {
        let ago = jiff::SignedDuration::try_from(span.0)
            .ok()
            .and_then(|span| SystemClock::new().now().checked_sub(span).ok());
        return ago.ok_or_else(|| format!("`{text}` ago is too long ago"));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Ok(moment) = text.parse::<jiff::civil::DateTime>() {
        return moment.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|why| why.to_string());
    }
    let day = text.parse::<Date>().ok().and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    day.map(|zoned| zoned.timestamp())
        .ok_or_else(|| "give how long ago, `7d`, or a moment, `2026-11-20` or `2026-11-20T09:00Z`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_moments_and_how_long_ago() {
        let at = |text: &str| parse(text).map(|at| at.to_string());
        assert_eq!(at("2026-11-20").as_deref(), Ok("2026-11-20T00:00:00Z"));
        assert_eq!(at("2026-11-20T09:30").as_deref(), Ok("2026-11-20T09:30:00Z"));
        assert_eq!(at("2026-11-20T09:30:00+02:00").as_deref(), Ok("2026-11-20T07:30:00Z"));
        assert!(parse("7d").is_ok_and(|at| at < SystemClock::new().now()));
        for wrong in ["yesterday", "", "2026-13-01", "7"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
