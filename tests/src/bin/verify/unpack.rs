//! A Debian package that cannot be installed beside what is there: taken apart into the target folder, with what it
//! needs, so that nothing outside the checkout changes.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::step::Log;

/// Takes `package` apart, and returns the folder where its `program` can be started.
pub(crate) fn unpack(log: &mut Log<'_>, package: &str, program: &str) -> Result<PathBuf, String> {
    let place = log.room.target.join("tools").join(package);
    let broken = |error: io::Error| format!("cannot take {package} apart in {}: {error}", place.display());
    let (packages, root, bin) = (place.join("packages"), place.join("root"), place.join("bin"));
    if place.exists() {
        fs::remove_dir_all(&place).map_err(broken)?;
    }
    for folder in [&packages, &root, &bin] {
        fs::create_dir_all(folder).map_err(broken)?;
    }
    let mut ask = log.room.command("apt-get");
    ask.args(["-q", "-s", "--no-install-recommends", "install", package]).env("LC_ALL", "C");
    let names = installed(&log.read(ask)?);
    if names.is_empty() {
        return Err(format!("apt-get does not say what {package} needs"));
    }
    let mut download = log.room.command("apt-get");
    download.args(["-q", "download"]).args(&names).current_dir(&packages);
    log.run(download)?;
    for file in fs::read_dir(&packages).map_err(broken)? {
        let mut extract = log.room.command("dpkg-deb");
        extract.arg("-x").arg(file.map_err(broken)?.path()).arg(&root);
        log.run(extract)?;
    }
    let starter = bin.join(program);
    fs::write(&starter, script(&root, program)).map_err(broken)?;
    fs::set_permissions(&starter, fs::Permissions::from_mode(0o755)).map_err(broken)?;
    Ok(bin)
}

/// Names of what apt-get would install, from what it says of a simulated run.
fn installed(simulated: &str) -> Vec<String> {
    let lines = simulated.lines().filter_map(|line| line.strip_prefix("Inst "));
    lines.filter_map(|rest| rest.split_whitespace().next()).map(str::to_owned).collect()
}

/// Starts the program with its own libraries and data, in the place of this script.
fn script(root: &Path, program: &str) -> String {
    let root = root.display().to_string().replace('\'', "'\\''");
    format!(
        "#!/bin/sh\nroot='{root}'\n\
         for folder in \"$root\"/usr/lib/*-linux-gnu* \"$root\"/lib/*-linux-gnu*; do\n\
         \x20   LD_LIBRARY_PATH=$folder${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\ndone\n\
         export LD_LIBRARY_PATH\nexec \"$root/usr/bin/{program}\" -L \"$root/usr/share/qemu\" \"$@\"\n"
    )
}

#[test]
fn what_would_be_installed_is_read() {
    let simulated = "Reading package lists...\nRemv a [1]\nInst b (2 Debian:12 [amd64])\nInst c [1] (2 Debian:12)\nConf b (2)\n";
    assert_eq!(installed(simulated), ["b", "c"]);
    assert!(installed("E: Unable to locate package x\n").is_empty());
}
