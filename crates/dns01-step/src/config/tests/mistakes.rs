//! Documents that cannot be read, or not for what they are.

use dns01_core::Explain as _;

use super::super::{Config, ConfigError};
use super::{FULL, MINIMAL, said, with_certificate, with_issuer, with_solver};

#[test]
fn unknown_keys_are_named_with_place_and_nearest_name_all_at_once() {
    let text = FULL
        .replace("preferredChain", "preferedChain")
        .replace("cnameStrategy", "cnamestrategy")
        .replace("suspend: false", "pause: false");
    assert_eq!(
        said(&text),
        [
            "7:5: unknown key `issuers.letsencrypt.preferedChain`; write `preferredChain`",
            "21:3: unknown key `solvers[1].cnamestrategy`; write `cnameStrategy`",
            "29:3: unknown key `certificates[0].pause`; known here: `deployHook`, `dnsNames`, \
             `issuer`, `name`, `privateKey`, `profile`, `renewBefore`, `renewBeforePercentage`, \
             `secretName`, `sinks`, `suspend`",
        ]
    );
}

#[test]
fn one_line_names_the_first_problem_and_counts_the_others() {
    let text = MINIMAL.replace("dnsNames", "dnsnames").replace("provider", "providr");
    let error = Config::parse(&text, "dns01.yaml").unwrap_err();
    assert_eq!(error.to_string(), "dns01.yaml:4:3: `solvers[0]` has no `provider` (and 3 more)");
    assert_eq!(error.hint(), None);
    let facts = error.facts();
    assert_eq!(
        facts[0],
        ("dns01.yaml:4:14".into(), "unknown key `solvers[0].providr`; write `provider`".into())
    );
    assert_eq!(facts.len(), 3);
}

#[test]
fn what_cert_manager_has_and_we_do_not_is_named_with_what_to_do_instead() {
    assert_eq!(
        said(&with_certificate(
            "{name: a, dnsNames: [a.example], isCA: false, duration: 2160h, usages: [], subject: {}}"
        )),
        [
            "6:36: `certificates[0].isCA` is not supported; remove it: an ACME CA issues no CA certificates",
            "6:49: `certificates[0].duration` is not supported; choose a `profile`: the CA decides how long a certificate lives",
            "6:66: `certificates[0].usages` is not supported; remove it: the CA's `profile` decides the usages",
            "6:78: `certificates[0].subject` is not supported; remove it: ACME certificates carry names only",
        ]
    );
    assert_eq!(
        said(&with_solver("{name: a, provider: x, http01: {}, selector: {matchLabels: {a: b}}}")),
        [
            "4:26: `solvers[0].http01` is not supported; prove the names by DNS: name a `provider`; HTTP-01 is not done here",
            "4:49: `solvers[0].selector.matchLabels` is not supported; select by `dnsNames` or `dnsZones`: a certificate here has no labels",
        ]
    );
}

#[test]
fn keys_given_twice_are_errors_everywhere() {
    assert_eq!(
        said(&with_solver(
            "{name: a, provider: x, settings: {A: \"1\", B: \"2\", A: \"3\"}, name: b}"
        )),
        ["4:53: `solvers[0].settings.A` is given twice", "4:62: `solvers[0].name` is given twice",]
    );
    assert_eq!(
        said(&with_issuer("letsencrypt: {}, letsencrypt: {}")),
        ["2:28: `issuers.letsencrypt` is given twice"]
    );
}

#[test]
fn values_of_the_wrong_kind_are_named_with_what_is_wanted() {
    let certificate = "{name: [a], dnsNames: a.example, suspend: nope, renewBefore: 30, \
         renewBeforePercentage: 100, profile: , privateKey: {algorithm: Ed25519, size: big, \
         rotationPolicy: always}, sinks: [{}, {secret: {name: a}, dir: {path: /a}}]}";
    assert_eq!(
        said(&with_certificate(certificate)),
        [
            "6:10: `certificates[0].name` is a list, not a text",
            "6:25: `certificates[0].dnsNames` is a text, not a list",
            "6:45: `certificates[0].suspend` is a text, not `true` or `false`",
            "6:64: `certificates[0].renewBefore`: `30` is not a duration such as `720h`, `1h30m` or `90s`",
            "6:91: `certificates[0].renewBeforePercentage` is 100, not a number from 1 to 99",
            "6:105: `certificates[0].profile` is empty, not a text; give it a value, or remove the key",
            "6:131: `certificates[0].privateKey.algorithm` is not one of `ECDSA`, `RSA`",
            "6:146: `certificates[0].privateKey.size` is a text, not a whole number",
            "6:167: `certificates[0].privateKey.rotationPolicy` is not one of `Always`, `Never`; write `Always`",
            "6:184: `certificates[0].sinks[0]` has not exactly one of `dir`, `secret`",
            "6:188: `certificates[0].sinks[1]` has not exactly one of `dir`, `secret`",
        ]
    );
}

#[test]
fn names_that_no_ca_certifies_are_pointed_at() {
    assert_eq!(
        said(&with_certificate(
            "{name: a, dnsNames: [a_b.example, \"*.*.example\", ok.example, localhost]}"
        )),
        [
            "6:24: `certificates[0].dnsNames[0]`: `a_b.example` is not a usable name: an underscore cannot stand in the name of a certificate",
            "6:37: `certificates[0].dnsNames[1]`: `*.example` is not a usable name: a wildcard is only allowed as the whole first label, `*.`",
            "6:64: `certificates[0].dnsNames[3]`: `localhost` is not a usable name: a public name has at least two labels",
        ]
    );
}

#[test]
fn modes_that_would_show_the_key_are_refused() {
    for mode in
        ["\"0644\"", "\"0777\"", "640", "\"640 \"", "rw", "\"07000\"", "\"0200\"", "\"0660\""]
    {
        let sink = format!("{{dir: {{path: /a, keyMode: {mode}}}}}");
        let text =
            with_certificate(&format!("{{name: a, dnsNames: [a.example], sinks: [{sink}]}}"));
        let refused = Config::parse(&text, "dns01.yaml").is_err();
        // A plain 640 is read as its text, as it was meant.
        assert_eq!(refused, mode != "640", "{mode}");
    }
}

#[test]
fn syntax_errors_have_a_place_and_a_hint_where_one_is_known() {
    assert_eq!(
        said("version: 1\ncertificates:\n- name: a\n  dnsNames: [*.example.org]\n"),
        [
            "4:15: did not find expected alphabetic or numeric character, while scanning an alias at line 4 column 14; \
             put a name that starts with `*` in quotes: `\"*.example.org\"`"
        ]
    );
    assert_eq!(
        said("version: 1\nsolvers:\n\t- name: a\n"),
        ["3:1: found character that cannot start any token, while scanning for the next token; \
             indent with spaces: YAML takes no tabs"]
    );
    assert_eq!(
        said("version: 1\nsolvers: [\n"),
        ["3:1: did not find expected node content, while parsing a flow node"]
    );
    assert_eq!(
        said("version: 1\nsolvers: !include x\n"),
        ["2:10: solvers: YAML tags have no meaning here"]
    );
}

#[test]
fn an_empty_document_and_two_documents_are_refused() {
    assert_eq!(
        said(""),
        ["1:1: the document is empty, not a map of keys; start it with `version: 1`"]
    );
    assert_eq!(
        said("# nothing\n"),
        ["2:1: the document is empty, not a map of keys; start it with `version: 1`"]
    );
    assert_eq!(said("- a\n"), ["1:1: the document is a list, not a map of keys"]);
    assert_eq!(
        said("version: 1\n---\nversion: 1\n"),
        ["1:1: deserializing from YAML containing more than one document is not supported"]
    );
}

#[test]
fn another_version_is_refused() {
    assert_eq!(said("version: 2\n"), ["1:10: `version` is 2, not 1"]);
    assert_eq!(said("solvers: []\n"), ["1:1: the document has no `version`"]);
    assert_eq!(said("version: one\n"), ["1:10: `version` is a text, not 1"]);
}

#[test]
fn a_document_that_is_too_large_is_refused_unread() {
    let text = format!("version: 1 #{}\n", "x".repeat(256 * 1024));
    let error = Config::parse(&text, "dns01.yaml").unwrap_err();
    assert!(matches!(error, ConfigError::TooLarge { .. }), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dns01.yaml");
    std::fs::write(&file, "ü".repeat(200 * 1024)).unwrap();
    assert!(matches!(Config::load(&file), Err(ConfigError::TooLarge { .. })));
}

#[test]
fn a_document_cut_anywhere_is_read_or_refused_at_a_place_in_it() {
    for end in (0..FULL.len()).step_by(11).filter(|end| FULL.is_char_boundary(*end)) {
        match Config::parse(&FULL[..end], "dns01.yaml") {
            Ok(_) => {}
            Err(ConfigError::Wrong { problems, .. }) => {
                let lines = FULL[..end].lines().count();
                assert!(problems.iter().all(|it| (1..=lines + 1).contains(&it.line)), "{end}");
            }
            Err(other) => panic!("{end}: {other}"),
        }
    }
}

#[test]
fn the_largest_documents_are_checked_in_good_time() {
    let started = std::time::Instant::now();
    let keys = (0..30_000).fold(String::new(), |keys, n| keys + &format!("{n:x}: a,"));
    Config::parse(&with_solver(&format!("{{name: a, provider: x, settings: {{{keys}}}}}")), "a")
        .unwrap();
    let names = (0..15_000).fold(String::new(), |names, n| names + &format!("a{n:x}.example,"));
    Config::parse(&with_certificate(&format!("{{name: a, dnsNames: [{names}]}}")), "a").unwrap();
    let items = "{},".repeat(60_000);
    assert!(Config::parse(&format!("version: 1\ncertificates: [{items}]"), "a").is_err());
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_thousand_problems_are_counted_and_twenty_shown() {
    let keys = (0..1000).fold(String::new(), |keys, n| keys + &format!("zz{n}: 1\n"));
    let error = Config::parse(&format!("version: 1\n{keys}"), "dns01.yaml").unwrap_err();
    assert!(error.to_string().ends_with("(and 999 more)"), "{error}");
    let facts = error.facts();
    assert_eq!(facts.len(), 20);
    assert_eq!(facts[19].1, "980 more problems are not shown");
}

#[test]
fn what_a_message_quotes_is_short_and_has_no_line_ends() {
    let text = format!("version: 1\n\"a\\n\\e[31m{}\": 1\n", "x".repeat(1000));
    let line = said(&text).remove(0);
    assert!(line.starts_with("2:1: unknown key `a[31mxxx") && line.len() < 500, "{line}");
}

#[test]
fn no_message_quotes_a_setting() {
    for setting in ["[hunter2]", "{hunter2: hunter2}"] {
        let text =
            with_solver(&format!("{{name: a, provider: x, settings: {{TOKEN: {setting}}}}}"));
        let lines = said(&text).join("\n");
        assert!(!lines.contains("hunter2"), "{lines}");
    }
}
