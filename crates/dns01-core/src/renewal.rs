//! When a certificate is renewed: the CA's word first, else a part of its lifetime.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use crate::Certificate;

/// What the definition says about renewal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RenewalRule {
    /// When the CA suggests (ARI), else when this fraction of the lifetime is left; the default is a third.
    Suggested {
        /// From 0 to 1.
        fraction_left: f64,
    },
    /// So long before the end.
    Before(Duration),
    /// When this fraction of the lifetime is left, whatever the CA suggests.
    FractionLeft(f64),
}

/// The time span in which the CA would like a certificate to be renewed (RFC 9773 §4.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SuggestedWindow {
    /// Its start.
    pub start: DateTime<Utc>,
    /// Its end, later than the start.
    pub end: DateTime<Utc>,
}

impl Default for RenewalRule {
    fn default() -> Self {
        Self::Suggested { fraction_left: 1.0 / 3.0 }
    }
}

impl RenewalRule {
    /// Whether the CA's suggestion counts, so that asking for it makes sense.
    pub const fn wants_suggestion(self) -> bool {
        matches!(self, Self::Suggested { .. })
    }

    /// When `certificate` is due. `draw`, from 0 to 1, chooses the point of the CA's window; it is drawn once per
    /// certificate and kept, so that the answer does not wander from call to call (RFC 9773 §4.2).
    ///
    /// Without a window, what the rule says is the latest moment, and the draw brings it forward by up to a twentieth of
    /// the certificate's age by then: what was issued in one hour is not all renewed in one hour, and nothing is late.
    pub fn due_at(
        self,
        certificate: &Certificate,
        window: Option<SuggestedWindow>,
        draw: f64,
    ) -> DateTime<Utc> {
        if let (Self::Suggested { .. }, Some(window)) = (self, window) {
            return window.start + scaled(window.end - window.start, draw);
        }
        let latest = self.latest(certificate);
        latest - scaled(latest - certificate.not_before, draw.clamp(0.0, 1.0) / 20.0)
    }

    /// When it is due at the latest, where the CA suggests nothing.
    fn latest(self, certificate: &Certificate) -> DateTime<Utc> {
        let left = |fraction: f64| certificate.not_after - scaled(certificate.lifetime(), fraction);
        match self {
            Self::Suggested { fraction_left } | Self::FractionLeft(fraction_left) => {
                left(fraction_left)
            }
            // A period longer than the lifetime would renew without end; half of the lifetime is as early as sense goes.
            Self::Before(period) => match TimeDelta::from_std(period) {
                Ok(period) if period < certificate.lifetime() => certificate.not_after - period,
                _ => left(0.5),
            },
        }
    }
}

/// A draw for what none is kept for: the same for a name at any time, different from name to name.
pub fn draw_of(name: &str) -> f64 {
    let hash = Sha256::digest(name);
    f64::from(u16::from_be_bytes([hash[0], hash[1]])) / f64::from(u16::MAX)
}

fn scaled(span: TimeDelta, factor: f64) -> TimeDelta {
    let factor = factor.clamp(0.0, 1.0);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "seconds of a lifetime fit exactly"
    )]
    TimeDelta::seconds((span.num_seconds() as f64 * factor) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SpkiHash;

    fn certificate() -> Certificate {
        let not_before = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Certificate {
            serial: String::new(),
            names: Vec::new(),
            names_others: false,
            issuer: String::new(),
            subject: String::new(),
            not_before,
            not_after: not_before + TimeDelta::days(90),
            fingerprint: String::new(),
            spki: SpkiHash::of(b""),
            ari_id: None,
        }
    }

    #[test]
    fn without_a_suggestion_a_third_of_the_lifetime_is_left() {
        let certificate = certificate();
        let due = RenewalRule::default().due_at(&certificate, None, 0.0);
        assert_eq!((certificate.not_after - due).num_days(), 30);
    }

    #[test]
    fn without_a_suggestion_certificates_of_one_day_are_spread_and_none_is_late() {
        let certificate = certificate();
        for rule in [
            RenewalRule::default(),
            RenewalRule::FractionLeft(1.0 / 3.0),
            RenewalRule::Before(Duration::from_hours(30 * 24)),
        ] {
            let left = |draw| certificate.not_after - rule.due_at(&certificate, None, draw);
            // Of 60 days of age a twentieth is three.
            assert_eq!([0.0, 1.0].map(|draw| left(draw).num_days()), [30, 33], "{rule:?}");
            assert!(left(0.3) < left(0.6));
        }
        // However early the rule says, what has just been issued is not due.
        let due = RenewalRule::FractionLeft(0.999).due_at(&certificate, None, 1.0);
        assert!(due > certificate.not_before);
    }

    #[test]
    fn a_names_draw_stays_and_differs_from_others() {
        assert_eq!(draw_of("shop").to_bits(), draw_of("shop").to_bits());
        let mut draws: Vec<f64> = (0..100).map(|n| draw_of(&format!("shop-{n}"))).collect();
        draws.sort_by(f64::total_cmp);
        assert!(draws[0] >= 0.0 && draws[10] < 0.3 && draws[90] > 0.7 && draws[99] <= 1.0);
    }

    #[test]
    fn the_cas_window_wins_unless_the_definition_says_otherwise() {
        let certificate = certificate();
        let start = certificate.not_before + TimeDelta::days(10);
        let window = Some(SuggestedWindow { start, end: start + TimeDelta::days(2) });
        assert_eq!(
            RenewalRule::default().due_at(&certificate, window, 0.5),
            start + TimeDelta::days(1)
        );
        let before = RenewalRule::Before(Duration::from_hours(20 * 24));
        assert_eq!(
            (certificate.not_after - before.due_at(&certificate, window, 0.0)).num_days(),
            20
        );
    }

    #[test]
    fn a_period_longer_than_the_lifetime_does_not_renew_without_end() {
        let certificate = certificate();
        let due =
            RenewalRule::Before(Duration::from_hours(400 * 24)).due_at(&certificate, None, 0.0);
        assert!(due > certificate.not_before);
    }
}
