//! Tests of tile names: the examples of the format, and that only canonical names are read.

use super::{TileKind, TilePath};

fn check(path: TilePath, expected: &str) {
    assert_eq!(path.to_string(), expected);
    assert_eq!(expected.parse::<TilePath>().unwrap(), path);
}

#[test]
fn names_are_those_of_the_format() {
    let level = TileKind::Level;
    check(TilePath { kind: level(0), index: 0, width: 256 }, "tile/0/000");
    check(TilePath { kind: level(0), index: 999, width: 256 }, "tile/0/999");
    check(TilePath { kind: level(1), index: 1000, width: 256 }, "tile/1/x001/000");
    check(TilePath { kind: level(0), index: 1_234_067, width: 256 }, "tile/0/x001/x234/067");
    check(TilePath { kind: level(2), index: 0, width: 1 }, "tile/2/000.p/1");
    check(TilePath { kind: TileKind::Entries, index: 273, width: 112 }, "tile/entries/273.p/112");
    check(
        TilePath { kind: TileKind::Entries, index: 256_000, width: 256 },
        "tile/entries/x256/000",
    );
}

#[test]
fn other_spellings_are_not_found() {
    for name in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1000",
        "tile/00/000",
        "tile/8/000",
        "tile/-1/000",
        "tile/0/+00",
        "tile/0/x000/000",
        "tile/0/x001/x000",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/",
        "tile/0/000.p/1/2",
        "tile/entries/../../journal",
        "tile/../journal",
        "/tile/0/000",
        "tile/0/000 ",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "journal",
        "vkey",
    ] {
        assert!(name.parse::<TilePath>().is_err(), "`{name}` was read");
    }
}

#[test]
fn a_tile_knows_the_entries_it_covers() {
    let path = TilePath { kind: TileKind::Level(1), index: 2, width: 256 };
    assert_eq!(path.first_entry(0), 2 * 65_536);
    assert_eq!(path.first_entry(3), 2 * 65_536 + 3 * 256);
    let bundle = TilePath { kind: TileKind::Entries, index: 2, width: 256 };
    assert_eq!(bundle.first_entry(5), 517);
}
