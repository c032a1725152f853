//! Links, devices and pipes.

use std::fs::{self, File};
use std::io::Write;

use coroner::bundle::{Limits, Source};
use libtest_mimic::{Failed, Trial};

use super::pack::{entry, header, link, tar};
use super::{Case, compare, outcome};

const END: [u8; 1024] = [0; 1024];

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "link_to_an_absolute_path",
            || [link("a", b'2', "/etc/passwd"), tar(&[("b", b"b")])].concat(),
            &["b=b"],
            &["a: a link to etc/passwd, which is not in the bundle"],
        ),
        Case::new(
            "link_climbing_out",
            || [link("x/a", b'2', "../../../b"), tar(&[("b", b"b")])].concat(),
            &["b=b"],
            &["x/a: a link to b, which is not in the bundle"],
        ),
        Case::new(
            "hard_link_out",
            || [link("a", b'1', "../b"), tar(&[("b", b"b")])].concat(),
            &["b=b"],
            &["a: a link to b, which is not in the bundle"],
        ),
        Case::new(
            "write_through_a_link",
            || [link("a", b'2', "/tmp"), entry("a/x", b'0', b"x"), END.to_vec()].concat(),
            &["a/x=x"],
            &["a: a link to tmp, which is not in the bundle"],
        ),
        Case::new(
            "aliases_inside",
            || {
                let links =
                    [link("alias.log", b'2', "pods/web.log"), link("hard", b'1', "pods/web.log"), link("dir", b'2', "pods")];
                [links.concat(), tar(&[("pods/web.log", b"x")])].concat()
            },
            &["pods/web.log=x"],
            &[],
        ),
        Case::new(
            "links_in_a_circle",
            || [link("a", b'2', "b"), link("b", b'2', "a"), link("c", b'2', "c"), tar(&[("d", b"d")])].concat(),
            &["d=d"],
            &[],
        ),
        Case::new("zip_link_out", || zip_link("../../../etc/passwd"), &["b=b"], &["a: a link to etc/passwd, which is not"]),
        Case::new("zip_alias", || zip_link("b"), &["b=b"], &[]),
        Case::new(
            "thousand_links",
            || [(0..1000).flat_map(|i| link(&format!("l{i:04}"), b'2', "/x")).collect(), tar(&[("b", b"b")])].concat(),
            &["b=b"],
            &[
                ": 980 more links lead",
                "l0000: ",
                "l0001: ",
                "l0002: ",
                "l0003: ",
                "l0004: ",
                "l0005: ",
                "l0006: ",
                "l0007: ",
                "l0008: ",
                "l0009: ",
                "l0010: ",
                "l0011: ",
                "l0012: ",
                "l0013: ",
                "l0014: ",
                "l0015: ",
                "l0016: ",
                "l0017: ",
                "l0018: ",
                "l0019: ",
            ],
        ),
        Case::new(
            "devices_and_pipes",
            || {
                [
                    header("c", b'3', 0, "").to_vec(),
                    header("d", b'4', 0, "").to_vec(),
                    header("p", b'6', 0, "").to_vec(),
                    tar(&[("b", b"b")]),
                ]
                .concat()
            },
            &["b=b"],
            &["c: a device or a named pipe", "d: a device or a named pipe", "p: a device or a named pipe"],
        ),
        Case::new("unknown_kind_of_entry", || [entry("a", b'Z', b"a"), tar(&[("b", b"b")])].concat(), &["a=a", "b=b"], &[]),
    ]
}

fn zip_link(target: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.add_symlink("a", target, zip::write::SimpleFileOptions::default()).unwrap();
    writer.start_file("b", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(b"b").unwrap();
    writer.finish().unwrap().into_inner()
}

/// Links and pipes of a directory on disk.
pub(super) fn directories() -> Vec<Trial> {
    if cfg!(not(unix)) {
        return Vec::new();
    }
    vec![Trial::test("directory_with_links_and_a_pipe", directory)]
}

fn directory() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("pods"))?;
    File::create(at("pods/web.log"))?.write_all(b"x")?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("pods/web.log", at("alias.log"))?;
        symlink(at("pods"), at("absolute-inside"))?;
        symlink("/etc/passwd", at("out"))?;
        symlink("..", at("up"))?;
        symlink(".", at("loop"))?;
    }
    let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
    let has_pipe = made.is_ok_and(|status| status.success());
    let outcome = outcome(&Source::Path(dir.path().to_owned()), &Limits::default());
    let problems = ["out: a link to ", "pipe: a device or a named pipe", "up: a link to "];
    let expected: Vec<&str> = problems.into_iter().filter(|p| has_pipe || !p.starts_with("pipe")).collect();
    compare(&outcome, &["pods/web.log=x"], &expected)
}
