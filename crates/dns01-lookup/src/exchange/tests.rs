//! Exchanges with servers that truncate, lie or say nothing.

use std::collections::BTreeSet;

use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record};

use super::*;
use crate::fake::Fake;

fn with_text(mut answer: Message, text: &str) -> Message {
    let name = answer.queries[0].name().clone();
    answer.add_answer(Record::from_rdata(name, 1, RData::TXT(TXT::new(vec![text.to_owned()]))));
    answer
}

async fn text(server: &Fake) -> Result<String, Trouble> {
    let name = Name::from_ascii("a.test.").unwrap();
    let answer = ask(server.address, &name, RecordType::TXT).await?;
    Ok(answer.answers.iter().map(|record| record.data.to_string()).collect())
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_over_tcp() {
    let server = Fake::start(|asked, mut answer| {
        answer.metadata.truncation = !asked.tcp;
        vec![if asked.tcp { with_text(answer, "whole") } else { answer }]
    })
    .await;
    assert_eq!(text(&server).await.unwrap(), "whole");
    assert_eq!(server.asked().iter().map(|it| it.tcp).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn silence_over_udp_leads_to_tcp() {
    let server = Fake::start(
        |asked, answer| if asked.tcp { vec![with_text(answer, "heard")] } else { vec![] },
    )
    .await;
    assert_eq!(text(&server).await.unwrap(), "heard");
}

#[tokio::test]
async fn forged_answers_are_ignored_and_the_true_one_is_taken() {
    let server = Fake::start(|_, answer| {
        let mut wrong_id = with_text(answer.clone(), "forged");
        wrong_id.metadata.id ^= 1;
        let mut wrong_name = with_text(answer.clone(), "forged");
        wrong_name.queries[0].set_name(Name::from_ascii("b.test.").unwrap());
        let mut no_question = with_text(answer.clone(), "forged");
        no_question.queries.clear();
        let mut not_an_answer = with_text(answer.clone(), "forged");
        not_an_answer.metadata.message_type = MessageType::Query;
        vec![wrong_id, wrong_name, no_question, not_an_answer, with_text(answer, "true")]
    })
    .await;
    assert_eq!(text(&server).await.unwrap(), "true");
    assert!(server.asked().iter().all(|asked| !asked.tcp));
}

#[tokio::test]
async fn only_forged_answers_are_no_answer() {
    let server = Fake::start(|_, mut answer| {
        answer.metadata.id ^= 1;
        vec![answer]
    })
    .await;
    assert!(matches!(text(&server).await, Err(Trouble::Silent)));
}

#[tokio::test]
async fn every_question_has_a_port_and_an_id_of_its_own() {
    let server = Fake::start(|_, answer| vec![answer]).await;
    for _ in 0..16 {
        text(&server).await.unwrap();
    }
    let asked = server.asked();
    let ids: BTreeSet<_> = asked.iter().map(|it| it.id).collect();
    let ports: BTreeSet<_> = asked.iter().map(|it| it.port).collect();
    assert!(ids.len() > 14 && ports.len() > 12, "{ids:?} {ports:?}");
    assert!(asked.iter().all(|it| it.max_payload == 1232));
}

#[tokio::test]
async fn nobody_listening_is_told_apart_from_silence() {
    let address = {
        let server = Fake::start(|_, _| vec![]).await;
        assert!(matches!(text(&server).await, Err(Trouble::Silent)));
        server.address
    };
    tokio::task::yield_now().await;
    let name = Name::from_ascii("a.test.").unwrap();
    assert!(matches!(ask(address, &name, RecordType::TXT).await, Err(Trouble::Refused)));
}
