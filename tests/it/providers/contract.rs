//! What every provider must do, whatever its API: values are added and removed one by one.

use super::{Stage, challenge, value};

/// The records as they are kept, seen from behind the provider.
pub(super) trait Behind {
    /// The TXT values at a name, sorted.
    fn values(&self, name: &str) -> Vec<String>;

    /// Adds a value that is not ours.
    fn add(&self, name: &str, value: &str);
}

type Claim = fn(&Stage, &dyn Behind, &str);

const CLAIMS: &[(&str, Claim)] = &[
    ("an-added-value-is-seen", an_added_value_is_seen),
    ("adding-twice-leaves-one", adding_twice_leaves_one),
    ("two-values-live-side-by-side", two_values_live_side_by_side),
    ("removing-one-value-keeps-the-other", removing_one_value_keeps_the_other),
    ("removing-nothing-succeeds", removing_nothing_succeeds),
    ("a-foreign-value-survives", a_foreign_value_survives),
];

/// Tries every claim at a name of its own in zone `example.test`.
pub(super) fn keep(stage: &Stage, behind: &dyn Behind) {
    for (name, claim) in CLAIMS {
        claim(stage, behind, &format!("{name}.example.test"));
    }
}

fn an_added_value_is_seen(stage: &Stage, behind: &dyn Behind, domain: &str) {
    let run = stage.step("present", domain, &[&value('a')]).run().exit(0);
    assert_eq!(behind.values(&challenge(domain)), [value('a')]);
    let published: serde_json::Value = serde_json::from_str(run.output("published")).unwrap();
    assert_eq!(published[0]["values"], serde_json::json!([value('a')]));
}

fn adding_twice_leaves_one(stage: &Stage, behind: &dyn Behind, domain: &str) {
    for _ in 0..2 {
        stage.step("present", domain, &[&value('a')]).run().exit(0);
    }
    assert_eq!(behind.values(&challenge(domain)), [value('a')]);
}

fn two_values_live_side_by_side(stage: &Stage, behind: &dyn Behind, domain: &str) {
    stage.step("present", domain, &[&value('a'), &value('b')]).run().exit(0);
    stage.step("present", domain, &[&value('c')]).run().exit(0);
    assert_eq!(behind.values(&challenge(domain)), [value('a'), value('b'), value('c')]);
}

fn removing_one_value_keeps_the_other(stage: &Stage, behind: &dyn Behind, domain: &str) {
    stage.step("present", domain, &[&value('a'), &value('b')]).run().exit(0);
    stage.step("cleanup", domain, &[&value('a')]).run().exit(0);
    assert_eq!(behind.values(&challenge(domain)), [value('b')]);
    stage.step("cleanup", domain, &[&value('b')]).run().exit(0);
    assert!(behind.values(&challenge(domain)).is_empty());
}

fn removing_nothing_succeeds(stage: &Stage, behind: &dyn Behind, domain: &str) {
    stage.step("cleanup", domain, &[&value('a')]).run().exit(0);
    assert!(behind.values(&challenge(domain)).is_empty());
}

fn a_foreign_value_survives(stage: &Stage, behind: &dyn Behind, domain: &str) {
    behind.add(&challenge(domain), "somebody else's");
    stage.step("present", domain, &[&value('a')]).run().exit(0);
    assert_eq!(behind.values(&challenge(domain)), [value('a'), "somebody else's".to_owned()]);
    stage.step("cleanup", domain, &[&value('a')]).run().exit(0);
    assert_eq!(behind.values(&challenge(domain)), ["somebody else's"]);
}
