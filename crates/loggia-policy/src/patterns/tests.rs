//! What patterns match, row by row.

use super::{Matched, Pattern, PatternError, PatternMap};

fn map(patterns: &[&'static str]) -> PatternMap<&'static str> {
    let mut map = PatternMap::default();
    for pattern in patterns {
        let earlier = map.insert(Pattern::parse(pattern).unwrap(), *pattern);
        assert_eq!(earlier, None);
    }
    map
}

#[test]
fn names_find_the_most_exact_pattern() {
    let map = map(&[
        "gen_ai.prompt",
        "gen_ai.prompt.*.content",
        "gen_ai.prompt.*",
        "llm.input_messages.*.message.*",
        "*.message.content",
        "a.*.b.*",
        "a.*",
    ]);
    let check = |key: &str, expected: Option<(&'static str, Matched)>| {
        assert_eq!(map.find(key, &mut String::new()), expected, "{key}");
    };
    check("gen_ai.prompt", Some(("gen_ai.prompt", Matched::Spelled)));
    check("gen_ai.prompt.0.content", Some(("gen_ai.prompt.*.content", Matched::Spelled)));
    check("gen_ai.prompt.17.content", Some(("gen_ai.prompt.*.content", Matched::Spelled)));
    check("gen_ai.prompt.0.role", Some(("gen_ai.prompt.*", Matched::Open)));
    check("gen_ai.prompt.x.y.z", Some(("gen_ai.prompt.*", Matched::Open)));
    check("gen_ai.prompts", None);
    check(
        "llm.input_messages.3.message.role",
        Some(("llm.input_messages.*.message.*", Matched::Open)),
    );
    check("other.message.content", Some(("*.message.content", Matched::Open)));
    check("message.content", None);
    check("a.1.b.c", Some(("a.*.b.*", Matched::Open)));
    check("a.x.b.c", Some(("a.*", Matched::Open)));
    check("", None);
    check("...", None);
}

#[test]
fn bad_patterns_say_why() {
    for (text, expected) in [
        ("", PatternError::Empty),
        ("a..b", PatternError::Empty),
        ("a.", PatternError::Empty),
        ("*", PatternError::MatchesAll),
        ("*.*", PatternError::MatchesAll),
        ("a.b*", PatternError::PartialSegment),
        ("*.a.*", PatternError::PartialSegment),
    ] {
        assert_eq!(Pattern::parse(text), Err(expected), "{text}");
    }
    assert_eq!(Pattern::parse(&"a".repeat(300)), Err(PatternError::TooLong));
}
