//! Messages to bytes.

use super::Method;

/// Writes one message; CR and LF in a value become spaces, so that no value can add a line.
#[derive(Debug)]
pub struct Encoder {
    out: Vec<u8>,
}

impl Encoder {
    /// Begins a request.
    pub fn request(method: &Method, uri: &str) -> Self {
        let mut encoder = Self { out: Vec::with_capacity(512) };
        encoder.text(method.as_str());
        encoder.text(" ");
        encoder.text(uri);
        encoder.raw(" SIP/2.0\r\n");
        encoder
    }

    /// Begins a response, with the RFC's phrase for the code.
    pub fn response(code: u16) -> Self {
        let mut encoder = Self { out: Vec::with_capacity(512) };
        encoder.text(&format!("SIP/2.0 {code} {}", reason_phrase(code)));
        encoder.raw("\r\n");
        encoder
    }

    /// Adds a header field.
    pub fn header(&mut self, name: &str, value: &str) {
        self.header_parts(name, &[value]);
    }

    /// Adds a header field whose value is the parts put together.
    pub fn header_parts(&mut self, name: &str, parts: &[&str]) {
        self.text(name);
        self.raw(": ");
        for part in parts {
            self.text(part);
        }
        self.raw("\r\n");
    }

    /// Ends the message without a body.
    pub fn finish(mut self) -> Vec<u8> {
        self.header("Content-Length", "0");
        self.raw("\r\n");
        self.out
    }

    /// Ends the message with a body.
    pub fn finish_with(mut self, content_type: &str, body: &[u8]) -> Vec<u8> {
        self.header("Content-Type", content_type);
        self.header("Content-Length", &body.len().to_string());
        self.raw("\r\n");
        self.out.extend_from_slice(body);
        self.out
    }

    fn text(&mut self, text: &str) {
        self.out.extend(text.bytes().map(|b| if b == b'\r' || b == b'\n' { b' ' } else { b }));
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// The phrase of a status code; for one that no RFC here names, that of its class.
pub fn reason_phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        469 => "Bad Info Package",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        _ => match code / 100 {
            1 => "Session Progress",
            2 => "OK",
            3 => "Multiple Choices",
            4 => "Bad Request",
            5 => "Server Internal Error",
            _ => "Global Failure",
        },
    }
}
