//! One person, one key: across threads, batches and restarts.

use crate::KeysError;
use crate::testing::{Fixture, batch, said};
use std::collections::BTreeMap;

#[test]
fn threads_never_make_two_keys_for_one_person() {
    let fixture = Fixture::new();
    let users: Vec<String> = (0..60).map(|number| format!("user-{number}")).collect();
    let seen = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|start| {
                let (store, users) = (&fixture.store, &users);
                scope.spawn(move || {
                    let mut seen = Vec::new();
                    for round in 0..10 {
                        let rows: Vec<_> = (0..12)
                            .map(|at| {
                                said(
                                    &users[(start * 7 + round * 5 + at) % users.len()],
                                    "",
                                    "words",
                                )
                            })
                            .collect();
                        let sealed = store.seal(batch("default", &rows)).unwrap().sealed;
                        let column = &sealed.skeleton()[0].1;
                        for (at, row) in rows.iter().enumerate() {
                            let key = sealed.blocks()[sealed.row_blocks()[at] as usize].key_id;
                            seen.push((
                                row.user.to_owned(),
                                (column.text(at).unwrap().to_owned(), key),
                            ));
                        }
                    }
                    seen
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let mut known = BTreeMap::new();
    for (user, identity) in seen {
        assert_eq!(known.entry(user).or_insert_with(|| identity.clone()), &identity);
    }
    assert_eq!((known.len(), fixture.count("subject")), (60, 60));
    assert!(fixture.store.verify().unwrap().is_empty());
}

#[test]
fn a_conversation_is_its_persons_from_the_first_row_that_names_both() {
    let fixture = Fixture::new();
    fixture.seal(&[said("", "c1", "before the sign-in")]);
    fixture.seal(&[said("ann", "c1", "signed in"), said("", "c2", "of nobody")]);
    let subjects = |name: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM lookups WHERE kind = 2 AND subject IS {name}");
        fixture.store.reader().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((subjects("NULL"), subjects("NOT NULL")), (1, 1));
    // The first person stays its owner.
    fixture.seal(&[said("bob", "c1", "a colleague joins")]);
    assert_eq!(fixture.count("conversation"), 2);
    assert_eq!((subjects("NULL"), subjects("NOT NULL")), (1, 1));
}

#[test]
fn known_people_need_no_write() {
    let fixture = Fixture::new();
    let rows = [said("ann", "c1", "a"), said("", "c2", "b"), said("", "", "c")];
    fixture.seal(&rows);
    let fixture = fixture.reopened();
    let changes = |fixture: &Fixture| fixture.store.writer().total_changes();
    let before = changes(&fixture);
    fixture.seal(&rows);
    fixture.seal(&rows);
    assert_eq!(changes(&fixture), before);
}

#[test]
fn a_look_up_pointed_at_another_person_is_noticed() {
    let fixture = Fixture::new();
    fixture.seal(&[said("ann", "", "a"), said("bob", "", "b")]);
    let fixture = fixture.reopened();
    let sql = "UPDATE lookups SET key_id = (SELECT key_id FROM lookups ORDER BY seq DESC LIMIT 1)";
    fixture.store.writer().execute(sql, []).unwrap();
    let answer = fixture.store.seal(batch("default", &[said("ann", "", "a")]));
    assert!(matches!(answer, Err(KeysError::Tampered { .. })));
    assert!(!fixture.store.verify().unwrap().is_empty());
}
