//! The `Retry-After` header (RFC 9110 §10.2.3): seconds or a date, and whatever else servers put there.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// Nobody may make us hammer them, or sleep past the next daily run.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(24);

/// How long the server asks us to wait: between a second and a day; `None` without the header or when it makes no sense.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit()) {
        // A number too large for u64 means "very long".
        text.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(now).unwrap_or(SHORTEST)
    };
    Some(asked.clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        // Sun, 06 Nov 1994 08:49:37 GMT
        retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777))
    }

    #[test]
    fn seconds_and_all_three_forms_of_date_are_understood() {
        assert_eq!(parsed("120"), Some(Duration::from_mins(2)));
        assert_eq!(parsed(" 7 "), Some(Duration::from_secs(7)));
        for date in [
            "Sun, 06 Nov 1994 08:50:37 GMT",
            "Sunday, 06-Nov-94 08:50:37 GMT",
            "Sun Nov  6 08:50:37 1994",
        ] {
            assert_eq!(parsed(date), Some(Duration::from_mins(1)), "{date}");
        }
    }

    #[test]
    fn extremes_are_clamped_to_a_second_and_a_day() {
        for short in ["0", "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(parsed(short), Some(SHORTEST), "{short}");
        }
        for long in [
            "86401",
            "1000000000000000000",
            "99999999999999999999999999",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            assert_eq!(parsed(long), Some(LONGEST), "{long}");
        }
    }

    #[test]
    fn garbage_counts_as_absent() {
        for garbage in ["", "-1", "1.5", "soon", "1e3", "+5", "0x10", "12 apples", "Sun, 99 Nov"] {
            assert_eq!(parsed(garbage), None, "{garbage:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::now()), None);
    }
}
