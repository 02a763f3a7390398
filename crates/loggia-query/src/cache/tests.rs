//! The caches: bounds, and what they forget.

use super::*;

#[test]
fn the_budget_holds_and_the_oldest_go_first() {
    let cache = Budgeted::new(10);
    cache.put(1, 'a', 4);
    cache.put(2, 'b', 4);
    assert_eq!(cache.get(&1), Some('a'));
    cache.put(3, 'c', 4);
    assert_eq!((cache.get(&1), cache.get(&2), cache.get(&3)), (Some('a'), None, Some('c')));
    cache.put(4, 'd', 11);
    assert_eq!(cache.get(&4), None);
    cache.put(1, 'e', 6);
    assert_eq!((cache.get(&1), cache.get(&3)), (Some('e'), Some('c')));
    assert_eq!(cache.entries.lock().unwrap().bytes, 10);
}
