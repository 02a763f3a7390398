//! Age, bounds, and the race between a read and an erasure.

use super::*;

fn secret() -> Arc<Secret> {
    Arc::new(Secret::from_slice(&[1; 32]).unwrap())
}

#[test]
fn a_key_read_before_an_erasure_is_not_put_back_after_it() {
    let cache = Cache::new(0);
    let generation = cache.lock().generation();
    cache.lock().put_key(generation, [1; 16], secret());
    assert!(cache.lock().key(&[1; 16]).is_some());
    cache.lock().purge(&[], &[[1; 16]]);
    assert!(cache.lock().key(&[1; 16]).is_none());
    cache.lock().put_key(generation, [1; 16], secret());
    assert!(cache.lock().key(&[1; 16]).is_none());
    let generation = cache.lock().generation();
    cache.lock().put_key(generation, [1; 16], secret());
    assert!(cache.lock().key(&[1; 16]).is_some());
}

#[test]
fn a_key_lives_a_minute_whichever_way_the_clock_goes() {
    for (later, lives) in
        [(TTL_NS, true), (TTL_NS + 1, false), (-TTL_NS, true), (-TTL_NS - 1, false)]
    {
        let cache = Cache::new(0);
        cache.lock().put_key(0, [1; 16], secret());
        cache.hear(later);
        assert_eq!(cache.lock().key(&[1; 16]).is_some(), lives, "{later}");
        cache.expire();
        cache.hear(0);
        assert_eq!(cache.lock().key(&[1; 16]).is_some(), lives, "{later}");
    }
}
