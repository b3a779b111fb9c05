//! The command-line flags and environment variables of the settings, made from the rows of `table`.

use std::fmt;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::table::{Row, ServeFlags, rows};
use crate::limits::Rule;

impl Row {
    fn argument(&self) -> Arg {
        let help = self.paragraph();
        let short = help.split_once(". ").map_or(help.trim_end_matches('.'), |(first, _)| first).to_owned();
        let long = format!("{help}\n\nDefault: {}. Example: {}", self.default_text(), self.example_text());
        let argument = Arg::new(self.variable.to_string())
            .long(self.flag())
            .env(self.variable.to_string())
            .value_name(self.value)
            .help_heading(self.group)
            .help(short)
            .long_help(long)
            .hide_env_values(self.is_secret);
        if self.value == "BOOL" {
            argument.num_args(0..=1).require_equals(true).default_missing_value("true")
        } else {
            argument
        }
    }
}

impl Args for ServeFlags {
    fn augment_args(command: Command) -> Command {
        rows().iter().fold(command, |command, row| command.arg(row.argument()))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServeFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for row in rows() {
            if let Some(slot) = self.get_mut(&row.variable) {
                *slot = matches.get_one::<String>(&row.variable).cloned();
            }
        }
        for rule in Rule::ALL {
            let value = rule.setting().and_then(|(variable, ..)| matches.get_one::<String>(&variable).cloned());
            self.limits.extend(value.map(|value| (*rule, value)));
        }
        Ok(())
    }
}

impl fmt::Debug for ServeFlags {
    /// Shows no values, because some are secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServeFlags").finish_non_exhaustive()
    }
}
