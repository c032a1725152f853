//! A catalogue in another language: the prose of its entries from a file of its own, by the id of the cause. What the file
//! lacks stays English.

use serde::Deserialize;

use super::{Catalog, Error, Fault, source};
use crate::language::Language;

/// The Chinese prose.
const CHINESE: &str = include_str!("../../rules.zh.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cause: Vec<Translation>,
}

/// The prose of one cause, over the same facts as the English.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Translation {
    id: String,
    title: Option<String>,
    because: Option<String>,
    false_positives: Option<String>,
    /// Of each sign, in order.
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    fix: Fix,
}

/// The lists replace the English ones item by item.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fix {
    summary: Option<String>,
    #[serde(default)]
    steps: Vec<String>,
    #[serde(default)]
    prevent: Vec<String>,
    #[serde(default)]
    avoid: Vec<String>,
}

impl Catalog {
    /// The catalogue with its built-in prose in `language`. Causes added later keep the language of their file.
    ///
    /// Errors: the built-in translation is no TOML, which the tests rule out.
    pub fn in_language(mut self, language: Language) -> Result<Self, Error> {
        if language == Language::Chinese {
            for translation in parse()?.cause {
                if let Some(cause) = self.causes.iter_mut().find(|c| c.id == translation.id) {
                    translation.apply(cause);
                }
            }
        }
        Ok(self)
    }
}

fn parse() -> Result<File, Error> {
    toml::from_str(CHINESE).map_err(|e| source::error("rules.zh.toml", CHINESE, vec![Fault::of_toml(&e)]))
}

impl Translation {
    fn apply(self, cause: &mut super::Cause) {
        let replace = |own: &mut String, other: Option<String>| *own = other.unwrap_or_else(|| std::mem::take(own));
        replace(&mut cause.title, self.title);
        replace(&mut cause.because, self.because);
        cause.false_positives = self.false_positives.or(cause.false_positives.take());
        for (sign, says) in cause.signs.iter_mut().zip(self.says) {
            sign.says = says;
        }
        replace(&mut cause.fix.summary, self.fix.summary);
        for (own, other) in [
            (&mut cause.fix.steps, self.fix.steps),
            (&mut cause.fix.prevent, self.fix.prevent),
            (&mut cause.fix.avoid, self.fix.avoid),
        ] {
            for (own, other) in own.iter_mut().zip(other) {
                *own = other;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Cause, prose};

    /// All prose of a cause, with the name of its place.
    fn prose_of(cause: &Cause) -> Vec<(String, &str)> {
        let mut all = vec![("title".to_owned(), cause.title.as_str()), ("because".to_owned(), cause.because.as_str())];
        all.extend(cause.false_positives.iter().map(|text| ("false_positives".to_owned(), text.as_str())));
        all.push(("fix.summary".to_owned(), &cause.fix.summary));
        let says: Vec<&String> = cause.signs.iter().map(|sign| &sign.says).collect();
        let lists = [("steps", &cause.fix.steps), ("prevent", &cause.fix.prevent), ("avoid", &cause.fix.avoid)];
        let lists = lists.into_iter().flat_map(|(name, texts)| texts.iter().map(move |text| (name, text)));
        for (i, (name, text)) in says.into_iter().map(|text| ("says", text)).chain(lists).enumerate() {
            all.push((format!("{name} ({i})"), text));
        }
        all
    }

    fn both() -> (Catalog, Catalog) {
        let english = Catalog::built_in().expect("is valid");
        let chinese = english.clone().in_language(Language::Chinese).expect("is valid");
        (english, chinese)
    }

    /// Places whose text is the English one, as `cause place`.
    fn missing(of: impl Fn(&Cause) -> bool) -> Vec<String> {
        let (english, chinese) = both();
        let pairs = english.causes().iter().zip(chinese.causes()).filter(|(own, _)| of(own));
        let places = pairs.flat_map(|(own, other)| {
            let same = prose_of(own).into_iter().zip(prose_of(other)).filter(|((_, own), (_, other))| own == other);
            same.map(|((place, _), _)| format!("{} {place}", own.id)).collect::<Vec<_>>()
        });
        places.collect()
    }

    #[test]
    fn the_causes_of_actions_runner_controller_are_complete() {
        assert_eq!(missing(|cause| cause.id.starts_with("arc-")), Vec::<String>::new(), "these lack a translation");
    }

    #[test]
    fn a_translation_is_of_a_cause_and_fits_its_lists() {
        let (english, _) = both();
        for translation in parse().expect("is valid").cause {
            let cause = english.cause(&translation.id).unwrap_or_else(|| panic!("no cause is called {}", translation.id));
            for (name, own, other) in [
                ("says", cause.signs.len(), translation.says.len()),
                ("steps", cause.fix.steps.len(), translation.fix.steps.len()),
                ("prevent", cause.fix.prevent.len(), translation.fix.prevent.len()),
                ("avoid", cause.fix.avoid.len(), translation.fix.avoid.len()),
            ] {
                assert!(other == 0 || own == other, "{}: {other} of {own} {name}", translation.id);
            }
        }
    }

    #[test]
    fn both_languages_speak_of_the_same_facts() {
        let (english, chinese) = both();
        for (own, other) in english.causes().iter().zip(chinese.causes()) {
            for ((place, own_text), (_, other_text)) in prose_of(own).into_iter().zip(prose_of(other)) {
                let facts = |text| prose::variables(text).unwrap_or_else(|e| panic!("{} {place}: {e}", own.id));
                assert_eq!(facts(own_text), facts(other_text), "{} {place}", own.id);
            }
        }
    }
}
