//! The engine against name servers that exist only as functions of time.

use std::time::Duration;

use proptest::prelude::*;

use super::virtual_clock::{End, Reaction, ms, run};
use super::{Engine, Kind, Lego, Phase, Rule, Streak, StreakRule};

/// Runs a wait of up to a minute by the stable rule. A question arrives half a round trip after it is asked; `show` says
/// what the target's server answers then; silence is a question that is lost and given up after 3 s.
fn simulate(
    servers: &[usize],
    round_trip: Duration,
    mut show: impl FnMut(usize, Duration) -> Kind,
) -> (End, Engine) {
    let engine = Engine::new(Rule::Stable, servers.iter().copied(), ms(60_000));
    run(engine, |target, now| {
        let kind = show(target, now + round_trip / 2);
        Reaction { kind, takes: if kind == Kind::Silent { ms(3_000) } else { round_trip } }
    })
}

fn from(at: Duration, now: Duration) -> Kind {
    if now >= at { Kind::Shown } else { Kind::Missing }
}

#[test]
fn what_is_there_already_costs_one_look_and_one_burst() {
    let (end, _) = simulate(&[0, 1], ms(2), |_, _| Kind::Shown);
    assert_eq!(end, End { done: true, at: ms(2 + 4 * 2), asked: vec![9, 9] });
}

#[test]
fn a_burst_is_as_short_as_the_server_is_near_and_pairs_do_not_wait_for_one_that_is_far() {
    for (round_trip, took) in [(0, 0), (1, 4), (10, 40), (30, 60), (200, 230)] {
        let (end, _) = simulate(&[0], ms(round_trip), |_, _| Kind::Shown);
        assert_eq!((end.at, end.asked[0]), (ms(round_trip + took), 9), "{round_trip}");
    }
}

#[test]
fn a_late_server_is_noticed_soon_and_the_prompt_one_is_left_alone() {
    for late in [5, 500, 3_000, 10_000, 30_000] {
        let (end, engine) =
            simulate(&[0, 1], ms(2), |target, now| from(ms(late) * u32::from(target == 1), now));
        let first = engine.targets()[1].first_seen().unwrap();
        assert!(
            end.done && first <= ms(late) + ms(502).min(ms(late / 8 + 52)),
            "{late}: {first:?}"
        );
        assert!(end.at <= first + ms(20), "{late}: {end:?}");
        assert_eq!(end.asked[0], 9, "{late}");
        assert!(end.asked[1] <= 190, "{late}: {end:?}");
    }
}

#[test]
fn the_deadline_ends_the_wait_to_the_millisecond() {
    let (end, engine) =
        simulate(&[0, 1], ms(2), |target, now| from(ms(999_999) * u32::from(target == 1), now));
    assert!(!end.done && end.at == ms(60_000), "{end:?}");
    assert_eq!(engine.targets()[0].phase(), Phase::Seen);
    assert_eq!(engine.targets()[1].last().unwrap().1, Duration::ZERO);
}

#[test]
fn a_value_seen_right_before_the_deadline_may_still_be_confirmed() {
    let (end, _) = simulate(&[0], ms(400), |_, now| from(ms(59_300), now));
    assert!(end.done && end.at > ms(60_000), "{end:?}");
}

#[test]
fn a_value_that_is_taken_back_is_not_there() {
    let (end, engine) = simulate(&[0, 1], ms(2), |target, now| {
        if target == 1 && now > ms(4) { Kind::Missing } else { Kind::Shown }
    });
    assert!(
        !end.done && engine.targets()[1].wavers() && engine.targets()[1].flips() == 1,
        "{end:?}"
    );
}

#[test]
fn sightings_asked_for_before_a_contradiction_do_not_count() {
    let mut questions = 0;
    let (end, _) = simulate(&[0], ms(400), |_, _| {
        questions += 1;
        // The first of the burst; the other seven are on their way already.
        if questions == 2 { Kind::Missing } else { Kind::Shown }
    });
    assert!(end.done && end.asked == [1 + 8 + 20], "{end:?}");
}

#[test]
fn an_address_without_route_is_excused_only_while_its_server_answers_elsewhere() {
    let unreachable =
        |target, now| if target == 1 { Kind::Unreachable } else { from(ms(700), now) };
    let (end, engine) = simulate(&[0, 0], ms(2), unreachable);
    assert!(end.done && engine.excused() == [false, true], "{end:?}");
    let (end, _) = simulate(&[0, 1], ms(2), unreachable);
    assert!(!end.done);
    let (end, engine) = simulate(&[0, 0], ms(2), |_, _| Kind::Unreachable);
    assert!(!end.done && engine.excused() == [false, false]);
}

#[test]
fn an_ipv6_address_that_swallows_questions_is_excused_only_while_no_ipv6_works_from_here() {
    let wait = |servers: &[usize], v6: &[bool], show: &dyn Fn(usize) -> Kind| {
        let engine = Engine::new(Rule::Stable, servers.iter().copied(), ms(60_000));
        let (end, engine) = run(engine.with_v6(v6.iter().copied()), |target, _| {
            let kind = show(target);
            Reaction { kind, takes: if kind == Kind::Silent { ms(2_800) } else { ms(2) } }
        });
        (end.done, engine.excused())
    };
    let last_is_silent = |target| if target == 2 { Kind::Silent } else { Kind::Shown };
    let lone = [false, false, true];
    assert_eq!(wait(&[0, 1, 1], &lone, &last_is_silent), (true, vec![false, false, true]));
    // It has no other address, or another IPv6 address answers, or it is no IPv6 address.
    assert!(!wait(&[0, 1, 2], &lone, &last_is_silent).0);
    assert!(!wait(&[0, 0, 0], &[false, true, true], &last_is_silent).0);
    assert!(!wait(&[0, 0, 0], &[false; 3], &last_is_silent).0);
}

#[test]
fn a_server_that_never_answers_is_asked_rarely_and_waited_for() {
    let (end, _) =
        simulate(&[0, 1], ms(2), |target, _| if target == 0 { Kind::Shown } else { Kind::Silent });
    assert!(!end.done && end.asked[0] == 1 && end.asked[1] == 20, "{end:?}");
}

#[test]
fn one_lost_question_does_not_make_a_server_unstable() {
    let mut questions = 0;
    let (end, engine) = simulate(&[0], ms(2), |_, _| {
        questions += 1;
        if questions == 5 { Kind::Silent } else { Kind::Shown }
    });
    assert!(end.done && engine.targets()[0].flips() == 0 && end.asked[0] < 20, "{end:?}");
}

#[test]
fn who_was_confirmed_long_before_the_others_is_asked_again() {
    let mut asked_late = 0;
    let (end, _) = simulate(&[0, 1], ms(2), |target, now| {
        asked_late += u32::from(target == 0 && now > ms(1_500));
        // The second server goes back once and then has to stand for two seconds.
        if target == 1 && (ms(4)..ms(8)).contains(&now) { Kind::Missing } else { Kind::Shown }
    });
    assert!(end.done && end.at > ms(2_000) && asked_late == 1, "{end:?} {asked_late}");
}

#[test]
fn five_hundred_addresses_are_asked_at_most_every_millisecond_on_average() {
    let servers: Vec<usize> = (0..512).collect();
    let (end, _) = simulate(&servers, ms(2), |_, now| from(ms(10_000), now));
    let asked: u32 = end.asked.iter().sum();
    assert!(end.done && asked < 512 * (2 + 20 + 12), "{asked}");
}

#[test]
fn a_thousand_questions_a_second_are_the_most_however_many_servers_waver() {
    let servers: Vec<usize> = (0..512).collect();
    let mut by_second = [0_usize; 64];
    let mut coin = flapping(7, 0, 15_000);
    let (end, _) = simulate(&servers, ms(2), |target, now| {
        by_second[usize::try_from(now.as_secs()).unwrap()] += 1;
        coin(target, now)
    });
    // A second here may hold the end of one of the engine's and the beginning of the next.
    assert!(by_second.iter().all(|count| *count <= 2 * super::PER_SECOND), "{by_second:?}");
    let first_twenty: usize = by_second[..20].iter().sum();
    assert!(first_twenty <= 21 * super::PER_SECOND && first_twenty > 5_000, "{end:?}");
}

/// A server's answers: nothing until `from`, then coin flips for `flaps`, then the values.
fn flapping(seed: u64, from_ms: u64, flaps_ms: u64) -> impl FnMut(usize, Duration) -> Kind {
    let mut state = seed;
    move |_, now| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let heads = state >> 63 == 1;
        let steady = now >= ms(from_ms + flaps_ms);
        let shown = now >= ms(from_ms) && (steady || heads);
        if shown { Kind::Shown } else { Kind::Missing }
    }
}

/// How many of `runs` waits end half a second or more before the servers are steady.
fn believed_too_early(servers: &[usize], runs: u64) -> usize {
    let too_early = |seed: &u64| {
        let (end, _) = simulate(servers, ms(2), flapping(seed * 2 + 1, 500, 6_000));
        assert!(end.done, "seed {seed}: {end:?}");
        end.at < ms(6_000)
    };
    (0..runs).filter(too_early).count()
}

#[test]
fn a_flapping_server_is_not_believed_before_it_is_steady() {
    // A coin shows heads eight times in a row once in 256 times; on three servers at once practically never.
    assert!(believed_too_early(&[0], 1_000) <= 10);
    assert_eq!(believed_too_early(&[0, 1, 2], 500), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whoever_stays_steady_ends_the_wait_and_nobody_is_believed_too_early(
        lateness in prop::collection::vec(0_u64..50_000, 1..6),
        round_trip in 0_u64..400,
    ) {
        let servers: Vec<usize> = (0..lateness.len()).collect();
        let (end, _) = simulate(&servers, ms(round_trip), |target, now| from(ms(lateness[target]), now));
        let slowest = ms(lateness.iter().copied().max().unwrap_or_default());
        prop_assert!(end.done);
        prop_assert!(end.at >= slowest);
        prop_assert!(end.at <= slowest + ms(500) + ms(300) + 4 * ms(round_trip), "{end:?}");
    }

    #[test]
    fn any_history_ends_by_the_deadline_and_done_means_seen_eight_times(
        seed in any::<u64>(), from_ms in 0_u64..70_000, flaps_ms in 0_u64..70_000, round_trip in 0_u64..3_000,
    ) {
        let mut flapping = flapping(seed, from_ms, flaps_ms);
        let mut shown = [0_u32; 3];
        let (end, engine) = simulate(&[0, 0, 1], ms(round_trip), |target, now| {
            let kind = flapping(target, now);
            shown[target] += u32::from(kind == Kind::Shown);
            kind
        });
        prop_assert!(end.at <= ms(66_000));
        if end.done {
            prop_assert!(shown.iter().all(|count| *count >= 9), "{shown:?}");
            prop_assert!(engine.targets().iter().all(|target| target.last_kind() == Some(Kind::Shown)));
        }
    }
}

/// What the toolkit did with three servers that all show the value from `late` on, by its documented defaults.
fn by_the_streak(late: u64) -> (u64, u32) {
    let rule = Rule::Streak(Streak::new(StreakRule::default()));
    let (end, _) = run(Engine::new(rule, 0..3, ms(1_500_000)), |_, now| Reaction {
        kind: from(ms(late), now),
        takes: Duration::ZERO,
    });
    assert!(end.done);
    (end.at.as_secs(), end.asked.iter().sum())
}

#[test]
fn the_streak_is_as_long_as_the_toolkits_own() {
    // Measured there, on a clock of whole seconds: 23 s and 27 questions, 71 s and 45, 133 s and 51.
    assert_eq!(by_the_streak(0), (24, 27));
    assert_eq!(by_the_streak(20_000), (71, 45));
    assert_eq!(by_the_streak(60_000), (133, 51));
}

#[test]
fn lego_believes_the_first_sighting_and_looks_every_two_seconds() {
    let lego = || Engine::new(Rule::Lego(Lego::new()), 0..2, ms(60_000));
    let late = |target: usize, now| from(ms(4_500) * u32::try_from(target).unwrap(), now);
    let (end, _) =
        run(lego(), |target, now| Reaction { kind: late(target, now), takes: Duration::ZERO });
    assert_eq!(end, End { done: true, at: ms(6_000), asked: vec![3, 3] });
    let mut looks = 0;
    let (end, _) = run(lego(), |_, _| {
        looks += 1;
        let kind = if looks <= 2 { Kind::Shown } else { Kind::Missing };
        Reaction { kind, takes: Duration::ZERO }
    });
    assert_eq!(end, End { done: true, at: ms(2_000), asked: vec![1, 1] });
    let (end, _) = run(lego(), |_, _| Reaction { kind: Kind::Silent, takes: ms(3_000) });
    assert!(!end.done && end.at == ms(60_000), "{end:?}");
}
