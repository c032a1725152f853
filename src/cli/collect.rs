//! `coroner collect-script`: a script that makes the bundle coroner reads best.

/// What stands in the script before the part that never changes.
const HEAD: &str = "#!/bin/sh\n";
const BODY: &str = include_str!("../../templates/collect.sh");

#[derive(Debug, clap::Args)]
pub(super) struct CollectScript {
    /// Collect this namespace and the cluster's own objects only; repeatable
    #[arg(short, long, value_name = "NS", value_parser = namespace)]
    namespace: Vec<String>,
    /// Actions Runner Controller: also the namespaces of its controllers and listeners, and their logs in full
    #[arg(long)]
    arc: bool,
}

/// A name the API server would take: the script needs no quoting then.
fn namespace(text: &str) -> Result<String, String> {
    let is_label = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if is_label { Ok(text.to_owned()) } else { Err("expected a namespace: lower-case letters, digits and hyphens".to_owned()) }
}

/// The script, with the choices at its head.
pub(super) fn script(args: &CollectScript) -> String {
    let arc = if args.arc { "yes" } else { "no" };
    format!("{HEAD}\nnamespaces='{}' # empty: all\narc={arc}\n{BODY}", args.namespace.join(" "))
}
