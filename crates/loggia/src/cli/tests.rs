//! The command line's definition.

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_verb_has_an_example() {
    fn walk(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        if command.has_subcommands() {
            for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
                walk(verb, &path);
            }
            return;
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.starts_with("Example:\n  loggia "), "{path} has no example");
    }
    walk(&Cli::command(), "");
}
