//! Names, numbers and guesses.

use super::Level;

#[test]
fn names_and_numbers() {
    for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal]
    {
        assert_eq!(Level::from_name(&level.name().to_lowercase()), Some(level));
        assert_eq!(Level::from_number(level.number()), Some(level));
        assert_eq!(Level::from_number(level.number() + 3), Some(level));
    }
    assert_eq!(Level::from_number(0), None);
    assert_eq!(Level::from_number(25), None);
    assert_eq!(Level::from_json_number(30), Some(Level::Info));
    assert_eq!(Level::from_json_number(4), Some(Level::Warn));
    assert_eq!(Level::from_json_number(35), None);
    assert_eq!(Level::from_name("INFORMATIONAL"), None);
}

#[test]
fn guesses() {
    for (line, level) in [
        ("", None),
        ("WARN x", Some(Level::Warn)),
        ("x: warning: y", Some(Level::Warn)),
        ("[Error] y", Some(Level::Error)),
        ("INFORMATION", Some(Level::Info)),
        ("my_ERROR", None),
        ("ERRORS", None),
        ("/var/log/ERROR", None),
        ("an info", None),
        ("{\"level\":\"error\"", None),
    ] {
        assert_eq!(Level::guess(line), level, "{line}");
    }
    assert_eq!(Level::guess(&format!("{} ERROR", "x".repeat(300))), None);
}
