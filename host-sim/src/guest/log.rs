//! What a guest writes to its standard output: a log of defmt, or plain lines.

use std::fmt;
use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

use super::image::Image;
use super::process::GuestTold;

/// Bytes read at once.
const READ_LEN: usize = 1_024;

/// The longest plain line, in bytes; what is longer is cut in two.
const LINE_LEN_MAX: u64 = 1_024;

/// How much a line of the log matters, in defmt's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Of interest to who looks for one fault.
    Trace,
    /// Of interest to who works on the program.
    Debug,
    /// What happens.
    Info,
    /// What should not happen often.
    Warn,
    /// What must not happen.
    Error,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The guest's clock, as the image writes it: seconds since its start. None where it has no clock.
    pub at: Option<String>,
    /// How much it matters; none of a line that was printed without a level.
    pub level: Option<Level>,
    /// What it says.
    pub text: String,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// Reads what the guest writes until it ends, and tells it.
pub(super) async fn read(
    out: impl AsyncRead + Unpin + Send,
    image: Image,
    to: mpsc::Sender<GuestTold>,
) -> io::Result<()> {
    if image.has_log {
        read_log(out, &image, &to).await
    } else {
        read_lines(out, &to, GuestTold::Printed).await
    }
}

/// Reads plain lines; whatever is no text in them is shown as such.
pub(super) async fn read_lines(
    out: impl AsyncRead + Unpin,
    to: &mpsc::Sender<GuestTold>,
    told: impl Fn(String) -> GuestTold,
) -> io::Result<()> {
    let mut reader = BufReader::new(out);
    loop {
        let mut line = Vec::new();
        if (&mut reader).take(LINE_LEN_MAX).read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if to.send(told(text)).await.is_err() {
            return Ok(());
        }
    }
}

#[cfg(feature = "firmware-log")]
async fn read_log(
    mut out: impl AsyncRead + Unpin,
    image: &Image,
    to: &mpsc::Sender<GuestTold>,
) -> io::Result<()> {
    let table = match defmt_decoder::Table::parse(image.bytes()) {
        Ok(Some(table)) => table,
        Ok(None) => return count(out, to, "the image has no words for its log").await,
        Err(error) => return count(out, to, &format!("the image's words for its log: {error:#}")).await,
    };
    let mut decoder = table.new_stream_decoder();
    let mut bytes = [0; READ_LEN];
    loop {
        let len = out.read(&mut bytes).await?;
        if len == 0 {
            return Ok(());
        }
        decoder.received(bytes.get(..len).unwrap_or_default());
        loop {
            let told = match decoder.decode() {
                Ok(frame) => GuestTold::Log(line(&frame)),
                Err(defmt_decoder::DecodeError::UnexpectedEof) => break,
                // A guest that is reset in the midst of a frame leaves one such; the next begins anew.
                Err(defmt_decoder::DecodeError::Malformed) => {
                    GuestTold::Undecoded { bytes: 0, why: "a frame that is not whole".into() }
                }
            };
            if to.send(told).await.is_err() {
                return Ok(());
            }
        }
    }
}

#[cfg(feature = "firmware-log")]
fn line(frame: &defmt_decoder::Frame<'_>) -> LogLine {
    let level = frame.level().map(|level| match level.as_str() {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        _ => Level::Error,
    });
    let at = frame.display_timestamp().map(|at| at.to_string());
    LogLine { at, level, text: frame.display_message().to_string() }
}

#[cfg(not(feature = "firmware-log"))]
async fn read_log(out: impl AsyncRead + Unpin, _: &Image, to: &mpsc::Sender<GuestTold>) -> io::Result<()> {
    count(out, to, "this host-sim is built without its feature `firmware-log`, which `cargo qemu` turns on")
        .await
}

/// Reads on, so that no guest waits for its reader, and says at once that nobody understands it.
async fn count(mut out: impl AsyncRead + Unpin, to: &mpsc::Sender<GuestTold>, why: &str) -> io::Result<()> {
    let mut buffer = [0; READ_LEN];
    let mut why = why.to_owned();
    loop {
        let bytes = out.read(&mut buffer).await?;
        let told = GuestTold::Undecoded { bytes, why: std::mem::take(&mut why) };
        if bytes == 0 || to.send(told).await.is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_told_as_they_come_and_none_is_too_long() {
        let long = "x".repeat(1_500);
        let text = format!("node: one\nno \u{fffd} text\r\n{long}\nlast");
        let (to, mut told) = mpsc::channel(8);
        let read = read_lines(text.as_bytes(), &to, GuestTold::Board).await;
        assert!(read.is_ok());
        drop(to);
        let mut lines = Vec::new();
        while let Some(GuestTold::Board(line)) = told.recv().await {
            lines.push(line);
        }
        assert_eq!(lines, ["node: one", "no \u{fffd} text", &long[..1_024], &long[1_024..], "last"]);
    }

    #[tokio::test]
    async fn what_is_not_understood_is_counted_and_explained_once() {
        let (to, mut told) = mpsc::channel(8);
        assert!(count(&[7; 1_500][..], &to, "why").await.is_ok());
        drop(to);
        let mut counted = Vec::new();
        while let Some(GuestTold::Undecoded { bytes, why }) = told.recv().await {
            counted.push((bytes, why));
        }
        assert_eq!(counted, [(1_024, "why".to_owned()), (476, String::new())]);
    }
}
