//! One file over one streaming GET, taken up again where a broken connection left it.

use web_sys::{AbortSignal, Response};

use super::pin::Pin;
use super::request::{Host, header};
use super::reserve;
use super::trouble::HubError;
use crate::app::dom::wait;
use crate::app::fetch::{Body, append};

/// Milliseconds to wait before each further try.
const PAUSES_MS: [i32; 4] = [500, 1000, 2000, 4000];

/// A connection that brought so many bytes before it broke has earned all its tries again.
const RENEWING_BYTES: usize = 1 << 20;

/// A file as far as it has arrived.
pub struct Partial {
    pub pin: Pin,
    pub bytes: Vec<u8>,
}

impl Partial {
    pub fn new(pin: Pin) -> Self {
        Self { pin, bytes: Vec::new() }
    }

    /// Loads what is missing; `progress` hears the bytes so far and in all. After an error what has arrived stays,
    /// unless it cannot be part of the file.
    pub async fn complete(
        &mut self,
        host: &Host,
        stop: &AbortSignal,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<(), HubError> {
        reserve(&mut self.bytes, self.pin.bytes)?;
        let mut pauses = PAUSES_MS.iter();
        while self.pin.slack > 0 || self.bytes.len() < self.pin.bytes {
            let before = self.bytes.len();
            let Err(error) = self.go_on(host, stop, &mut progress).await else { return Ok(()) };
            // What never began is told at once.
            if !error.may_pass() || self.bytes.is_empty() {
                return Err(error);
            }
            if self.bytes.len() >= before + RENEWING_BYTES {
                pauses = PAUSES_MS.iter();
            }
            let Some(ms) = pauses.next() else { return Err(error) };
            wait(*ms, Some(stop)).await;
            if stop.aborted() {
                return Err(HubError::Stopped);
            }
        }
        Ok(())
    }

    /// One connection, to its end.
    async fn go_on(
        &mut self,
        host: &Host,
        stop: &AbortSignal,
        progress: &mut impl FnMut(usize, usize),
    ) -> Result<(), HubError> {
        let response = self.respond(host, stop).await?;
        if response.status() == 200 {
            // The whole file, whether or not it was asked for.
            self.bytes.clear();
            self.learn_length(&response);
        }
        let body = Body::of(&response);
        loop {
            progress(self.bytes.len(), self.pin.bytes);
            match body.next().await {
                Ok(Some(piece)) if self.bytes.len() + piece.length() as usize > self.pin.most_bytes() => {
                    let got = self.bytes.len() + piece.length() as usize;
                    body.cancel().await;
                    return Err(self.of_wrong_length(got));
                }
                Ok(Some(piece)) => append(&mut self.bytes, &piece),
                // The sender takes it for whole.
                Ok(None) if self.bytes.len() < self.pin.fewest_bytes() => {
                    return Err(self.of_wrong_length(self.bytes.len()));
                }
                Ok(None) => return Ok(()),
                Err(_) if stop.aborted() => return Err(HubError::Stopped),
                Err(_) => {
                    let (got, expected) = (self.bytes.len(), self.pin.bytes);
                    return Err(HubError::Broken { host: host.name.clone(), got, expected });
                }
            }
        }
    }

    /// An answer that is the rest of the file or all of it.
    async fn respond(&mut self, host: &Host, stop: &AbortSignal) -> Result<Response, HubError> {
        let mut response = host.get(&self.pin.address, self.bytes.len(), stop).await?;
        let is_useless = match response.status() {
            206 => !self.is_continued_by(&response),
            416 => true,
            _ => false,
        };
        if is_useless {
            self.bytes.clear();
            Body::of(&response).cancel().await;
            response = host.get(&self.pin.address, 0, stop).await?;
        }
        host.check(&response, &self.pin.repository)?;
        Ok(response)
    }

    /// Whether an answer of status 206 begins where this ends, in a file of the same length.
    fn is_continued_by(&self, response: &Response) -> bool {
        let (from, expected) = (self.bytes.len(), self.pin.bytes);
        match header(response, "content-range") {
            Some(range) => range == format!("bytes {from}-{}/{expected}", expected.saturating_sub(1)),
            // Not every host lets a page of another origin read it; the length it may read always.
            None => content_length(response) == expected.checked_sub(from),
        }
    }

    /// Where the API was silent, the file's sender knows its length best, as long as it is near the catalogue's.
    fn learn_length(&mut self, response: &Response) {
        let pin = &mut self.pin;
        let near = |length: &usize| (pin.fewest_bytes()..=pin.most_bytes()).contains(length);
        if let Some(length) = content_length(response).filter(near) {
            (pin.bytes, pin.slack) = (length, 0);
        }
    }

    fn of_wrong_length(&mut self, got: usize) -> HubError {
        self.bytes.clear();
        HubError::Length { repository: self.pin.repository.clone(), got, expected: self.pin.bytes }
    }
}

fn content_length(response: &Response) -> Option<usize> {
    header(response, "content-length").and_then(|length| length.parse().ok())
}
