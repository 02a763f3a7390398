//! Just enough TOML to read two lists of ours: the workspace's dependencies and the licences `deny.toml` allows.

/// The names under `[section]`: whatever stands before `=` at the start of a line.
pub(crate) fn keys_of_section<'a>(text: &'a str, section: &str) -> Vec<&'a str> {
    let head = format!("[{section}]");
    text.lines()
        .skip_while(|line| line.trim() != head)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim())
        .filter(|key| !key.is_empty())
        .collect()
}

/// The strings of the array `key = [ "…", … ]`, on one line or on several.
pub(crate) fn strings_of_array<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let head = format!("{key} = [");
    let Some((_, rest)) = text.split_once(head.as_str()) else { return Vec::new() };
    let body = rest.split_once(']').map_or(rest, |(body, _)| body);
    body.split('"').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sections_and_arrays() {
        let text =
            "[a]\nx = 1\n# y = 2\n\n[b.c]\nserde = { version = \"1\" }\nzstd = \"0\"\n[d]\nq = 1\n";
        assert_eq!(keys_of_section(text, "b.c"), ["serde", "zstd"]);
        assert_eq!(keys_of_section(text, "a"), ["x"]);
        assert!(keys_of_section(text, "none").is_empty());

        let deny = "allow = [\n  \"MIT\",\n  \"ISC\",\n]\ndeny = [\"x\"]\n";
        assert_eq!(strings_of_array(deny, "allow"), ["MIT", "ISC"]);
        assert_eq!(strings_of_array(deny, "deny"), ["x"]);
    }
}
