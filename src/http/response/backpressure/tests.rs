//! Tests limits on unread responses with clients in many networks, which a test over real sockets could not use.

use std::net::IpAddr;

use axum::response::IntoResponse;
use http_body_util::BodyExt;

use super::*;
use crate::domain::access::Origin;

fn unread() -> Unread {
    Unread::new(UnreadCaps {
        in_all: 100 * FRAME,
        of_network: Shares { narrow: 10 * FRAME, middle: 20 * FRAME, wide: 40 * FRAME },
        of_session: 2 * FRAME,
    })
}

fn anonymous(ip: &str) -> Viewer {
    let ip: IpAddr = ip.parse().unwrap();
    Viewer {
        origin: Origin { ip, user_agent: None, request_id: String::new(), session: None },
        principal: crate::domain::access::Principal::Anonymous,
    }
}

/// A response with `length` bytes.
fn response(length: usize) -> Response {
    let mut frames = Frames::within(length);
    frames.write_all(&vec![b'x'; length]).unwrap();
    frames.into_body().into_response()
}

fn taken(unread: &Unread) -> (usize, usize) {
    let taken = unread.taken.counts();
    (taken.values().copied().max().unwrap_or_default(), taken.len())
}

#[tokio::test]
async fn a_response_is_sent_in_frames_that_release_memory_one_by_one() {
    let unread = unread();
    let length = 3 * FRAME + 5;
    let reservation = unread.reserve(&anonymous("192.0.2.1")).unwrap();
    assert_eq!(taken(&unread), (TYPICAL, 2));
    let mut body = reservation.hold_until_read(response(length)).unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(length as u64), "the length of the body is known");
    assert_eq!(taken(&unread).0, length);
    let mut sizes = Vec::new();
    let mut written = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        sizes.push(data.len());
        written.push(data);
    }
    assert_eq!(sizes, [FRAME, FRAME, FRAME, 5]);
    assert!(body.is_end_stream());
    assert_eq!(taken(&unread).0, length, "a frame counts until it is written");
    drop(written.remove(0));
    assert_eq!(taken(&unread).0, length - FRAME);
    drop((written, body));
    assert_eq!(taken(&unread), (0, 0));
}

#[tokio::test]
async fn unread_responses_are_limited_for_networks_of_every_width() {
    let unread = unread();
    let hold_until_read = |ip: String, length| {
        let reservation = unread.reserve(&anonymous(&ip)).map_err(|refusal| refusal.code())?;
        reservation.hold_until_read(response(length)).map_err(|refusal| refusal.code())
    };
    let flood = |ips: Vec<String>| -> Vec<Response> {
        ips.into_iter()
            .flat_map(|ip| (0..12).filter_map(|_| hold_until_read(ip.clone(), FRAME).ok()).collect::<Vec<_>>())
            .collect()
    };
    let of_64 = flood(vec!["2001:db8::1".into()]);
    assert_eq!(of_64.len(), 10);
    let of_56 = flood((1..20).map(|n| format!("2001:db8:0:{n:x}::1")).collect());
    assert_eq!(of_64.len() + of_56.len(), 20);
    let of_48 = flood((1..20).map(|n| format!("2001:db8:0:{n:x}00::1")).collect());
    assert_eq!(of_64.len() + of_56.len() + of_48.len(), 40);
    assert_eq!(
        hold_until_read("2001:db8:0:ff00::1".into(), 1).err(),
        Some(Code::RateLimited),
        "before the operation runs"
    );
    let elsewhere = flood((1..20).map(|n| format!("198.51.{n}.1")).collect());
    assert_eq!(elsewhere.len(), 60, "responses are admitted until the total limit");
    assert_eq!(hold_until_read("203.0.113.1".into(), 1).err(), Some(Code::Unavailable));
    drop(elsewhere);
    assert!(hold_until_read("203.0.113.1".into(), FRAME).is_ok(), "dropping responses releases their memory");
    drop((of_64, of_56, of_48));
    assert_eq!(taken(&unread), (0, 0));
}

#[tokio::test]
async fn long_responses_leave_a_quarter_of_the_memory_to_short_responses() {
    let unread = Unread::new(UnreadCaps {
        in_all: 8 * FRAME,
        of_network: Shares { narrow: 8 * FRAME, middle: 8 * FRAME, wide: 8 * FRAME },
        of_session: 8 * FRAME,
    });
    let hold_until_read = |length| unread.reserve(&anonymous("192.0.2.1")).unwrap().hold_until_read(response(length));
    let _long = hold_until_read(6 * FRAME).unwrap();
    let refused = hold_until_read(FRAME + 1).unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(hold_until_read(FRAME).is_ok());
    assert_eq!(taken(&unread).0, 6 * FRAME, "a refused response holds nothing");
}

#[tokio::test]
async fn writing_a_response_fails_at_the_limit() {
    let mut frames = Frames::within(2 * FRAME);
    frames.write_all(&vec![0; 2 * FRAME]).unwrap();
    assert_eq!(frames.write_all(&[0]).unwrap_err().kind(), ErrorKind::FileTooLarge);
    let whole = frames.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(whole.len(), 2 * FRAME);
    assert_eq!(Frames::within(1).into_body().collect().await.unwrap().to_bytes().len(), 0);
}
