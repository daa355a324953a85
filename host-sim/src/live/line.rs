//! One connection: frames in, frames out, and nothing that its other end does harms anybody else.

use std::io;
use std::time::Duration;

use alertbus::limits::FRAME_LEN_MAX;
use alertbus::wire::frame::{self, Fed, Noise, StreamDeframer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::transport::{Connection, Stream};

/// Packets that wait to go out by one connection at most; what finds no room is lost, as on any line.
pub(super) const WAITING_MAX: usize = 64;

/// How long the other end may take for a frame before it is given up.
const WRITE_MAX: Duration = Duration::from_secs(10);

/// Bytes read at once.
const READ_LEN: usize = 512;

/// Name of a connection, never the same twice in a run.
pub(super) type LineId = u64;

/// What has come of a connection.
#[derive(Debug)]
pub(super) enum Heard {
    /// A packet whose frame was whole. Who sent it is another question.
    Packet(Vec<u8>),
    /// The first bytes that are no frame: a line at the wrong speed, or somebody else's protocol.
    Noise(Noise),
    /// It is over, and why.
    Closed(String),
}

/// Carries packets between a connection and `up` and `down`, until either end closes it or nothing was heard for
/// `quiet_max`. Its end is told.
pub(super) async fn carry(
    id: LineId,
    connection: Connection,
    quiet_max: Option<Duration>,
    up: mpsc::Sender<(LineId, Heard)>,
    down: mpsc::Receiver<Vec<u8>>,
) {
    let why = run(id, connection, quiet_max, &up, down).await;
    // Where nobody listens any more nobody wants to know.
    let _ = up.send((id, Heard::Closed(why))).await;
}

async fn run(
    id: LineId,
    connection: Connection,
    quiet_max: Option<Duration>,
    up: &mpsc::Sender<(LineId, Heard)>,
    down: mpsc::Receiver<Vec<u8>>,
) -> String {
    // The connection is kept whole until the end: what it holds is given back only then.
    let Connection { stream, .. } = connection;
    let (reader, writer) = tokio::io::split(stream);
    tokio::select! {
        why = read(id, reader, quiet_max, up) => why,
        why = write(writer, down) => why,
    }
}

async fn read(
    id: LineId,
    mut reader: tokio::io::ReadHalf<Box<dyn Stream>>,
    quiet_max: Option<Duration>,
    up: &mpsc::Sender<(LineId, Heard)>,
) -> String {
    let mut deframer = StreamDeframer::new();
    let mut bytes = [0; READ_LEN];
    let mut noise_told = false;
    loop {
        let len = match timeout(quiet_max.unwrap_or(Duration::MAX), reader.read(&mut bytes)).await {
            Err(_) => return "nothing was heard for too long".into(),
            Ok(Err(error)) => return error.to_string(),
            Ok(Ok(0)) => return "the other end has closed it".into(),
            Ok(Ok(len)) => len,
        };
        for &byte in bytes.get(..len).unwrap_or_default() {
            let heard = match deframer.feed(byte) {
                None => continue,
                Some(Fed::Packet(packet)) => Heard::Packet(packet.to_vec()),
                Some(Fed::Noise(_)) if noise_told => continue,
                Some(Fed::Noise(noise)) => {
                    noise_told = true;
                    Heard::Noise(noise)
                }
            };
            // Whoever sends faster than the gateway takes waits here, and holds up nobody else.
            if up.send((id, heard)).await.is_err() {
                return "this end has closed it".into();
            }
        }
    }
}

async fn write(
    mut writer: tokio::io::WriteHalf<Box<dyn Stream>>,
    mut down: mpsc::Receiver<Vec<u8>>,
) -> String {
    // Closes off whatever noise the line has carried before.
    let mut frame = vec![0];
    loop {
        match timeout(WRITE_MAX, send(&mut writer, &frame)).await {
            Err(_) => return "the other end takes nothing".into(),
            Ok(Err(error)) => return error.to_string(),
            Ok(Ok(())) => {}
        }
        let Some(packet) = down.recv().await else { return "this end has closed it".into() };
        let mut room = [0; FRAME_LEN_MAX];
        frame = frame::encode(&packet, &mut room).unwrap_or_default().to_vec();
    }
}

async fn send(writer: &mut tokio::io::WriteHalf<Box<dyn Stream>>, frame: &[u8]) -> io::Result<()> {
    writer.write_all(frame).await?;
    writer.flush().await
}
