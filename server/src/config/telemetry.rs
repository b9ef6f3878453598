//! What is logged, how, and where traces go.

use super::read::Reader;

/// Settings of section `telemetry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// `telemetry.log`
    pub log: String,
    /// `telemetry.format`
    pub format: LogFormat,
    /// `telemetry.otlp_endpoint`
    pub otlp_endpoint: Option<String>,
    /// `telemetry.service_name`
    pub service_name: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Telemetry {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            log: reader
                .parse("telemetry.log", "a log filter such as `info,holdfast_server=debug`", |text| {
                    tracing_subscriber::EnvFilter::try_new(text).ok().map(|_| text.to_owned())
                })
                .unwrap_or_else(|| "info".to_owned()),
            format: reader
                .parse("telemetry.format", "`auto`, `pretty` or `json`", |text| match text {
                    "auto" => Some(LogFormat::Auto),
                    "pretty" => Some(LogFormat::Pretty),
                    "json" => Some(LogFormat::Json),
                    _ => None,
                })
                .unwrap_or_default(),
            otlp_endpoint: reader.text("telemetry.otlp_endpoint"),
            service_name: reader.text("telemetry.service_name").unwrap_or_else(|| "holdfast".to_owned()),
        }
    }
}
