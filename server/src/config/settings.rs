//! The one list of settings: key, default, flag and meaning. The file, the environment, the flags, `print-config` and the table in
//! the README are all read off it.

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Key in the file, `section.name`.
    pub key: &'static str,
    /// Default as it would be written; empty when there is none.
    pub default: &'static str,
    /// Flag of `holdfast serve` (and of other subcommands that need the setting).
    pub flag: Option<&'static str>,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// What of its value may be shown.
    pub secrecy: Secrecy,
}

/// What of a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// All of it.
    Open,
    /// The place it names, without user and password.
    Address,
    /// Nothing.
    Secret,
}

impl Setting {
    /// Name of the environment variable: `HOLDFAST_` and the key in capitals.
    pub fn variable(&self) -> String {
        format!("HOLDFAST_{}", self.key.replace('.', "_").to_uppercase())
    }
}

const fn setting(key: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting { key, default, flag: None, about, secrecy: Secrecy::Open }
}

impl Setting {
    const fn flag(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }

    const fn address(self) -> Self {
        Self { secrecy: Secrecy::Address, ..self }
    }

    const fn secret(self) -> Self {
        Self { secrecy: Secrecy::Secret, ..self }
    }
}

/// Every setting, in the order of the documentation.
pub const SETTINGS: &[Setting] = &[
    setting("definitions.path", "metrics-defs", "Folder of definition files.").flag("--definitions"),
    setting("definitions.watch", "true", "Reload definitions when a file changes."),
    setting("definitions.poll_interval", "500ms", "How often files are compared when the system does not report changes."),
    setting("http.listen", "127.0.0.1:4000", "Address and port to listen on.").flag("--listen"),
    setting("http.allow_public", "false", "Listen on an address other than loopback although requests without credentials are answered.")
        .flag("--allow-public"),
    setting("http.body_limit", "256KiB", "Largest request body."),
    setting("http.request_timeout", "35s", "Longest time a request may take."),
    setting(
        "http.idle_timeout",
        "75s",
        "How long a connection may be open without a request, or take nothing of what it is sent.",
    ),
    setting("http.header_timeout", "10s", "How long the head of a request may take, from its first byte on."),
    setting("http.shutdown_grace", "10s", "How long running requests may go on after a signal to stop."),
    setting("http.console", "true", "Serve the GraphiQL console at `/`."),
    setting("http.cors_origins", "", "Origins of other sites whose pages may read answers, such as `https://app.example.com`, with commas between them; `*` for all."),
    setting("http.cors_credentials", "false", "Let these pages send cookies and the like; not with `*`."),
    setting(
        "http.statuses",
        "stable",
        "Statuses of `application/graphql-response+json`: `stable`, or `draft` with 294 for data with errors and 422 for wrong documents.",
    ),
    setting(
        "documents.mode",
        "apq",
        "Which documents are answered: `off` (all, no digests), `apq` (all, digests register texts), `log_only` (and what an allow-list would refuse is logged), `allow_list` (trusted and saved ones).",
    ),
    setting("documents.manifests", "", "Manifests of trusted documents, separated by commas: Apollo's, or maps from ids to texts."),
    setting("streams.operations", "50", "Operations that run at once on a socket or a shared stream of events, at most."),
    setting("streams.init_timeout", "3s", "How long a socket may wait with `connection_init`."),
    setting("streams.keep_alive", "12s", "How often something is sent when nothing happens, so that proxies keep streams open, and how long a socket may leave a message unread."),
    setting("streams.max", "1000", "Sockets and streams of events that are open at once, at most."),
    setting(
        "identity.anonymous",
        "false",
        "Answer requests without credentials, as a caller without roles and claims; `serve --demo` does unless this is set.",
    )
    .flag("--anonymous"),
    setting("identity.jwt_secret", "", "Accept tokens signed with this secret (HS256), of 32 bytes at least; `holdfast token` signs with it.")
        .secret(),
    setting("identity.jwt_public_key_file", "", "Accept tokens signed with the key of this PEM file: RSA (RS256) or P-256 (ES256)."),
    setting("identity.jwks", "", "Accept tokens signed with a key of this JSON Web Key Set: a URL, or a file, which is read again when it changes."),
    setting("identity.jwks_refresh", "10m", "How often a key set is fetched; one that lacks the key of a token is fetched at once, every 10s at most."),
    setting("identity.issuer", "", "Accept tokens of this `iss` only; several are separated by commas."),
    setting("identity.audience", "", "Accept tokens for this `aud` only; several are separated by commas."),
    setting("identity.leeway", "30s", "How far clocks may differ in `exp` and `nbf`; 5m at most."),
    setting("identity.roles_claim", "roles", "Claim with the roles of a caller; `realm_access.roles` is `roles` in the object `realm_access`."),
    setting("identity.api_keys_file", "", "TOML file of API keys by their hashes, which is read again when it changes; `holdfast token --api-key` makes entries."),
    setting("warehouse.url", "", "Warehouse: `postgres://…` (with `sslmode` and `sslrootcert` where needed), or `file:///folder` of CSV files for the embedded engine.")
        .flag("--warehouse")
        .address(),
    setting("warehouse.pool_size", "16", "Connections, and statements that run at once, at most."),
    setting("warehouse.connect_timeout", "5s", "Longest time to open a connection."),
    setting("warehouse.pool_wait", "5s", "Longest time to wait for a free connection."),
    setting("warehouse.queue", "256", "Requests that may wait while statements of others use all of `warehouse.pool_size`."),
    setting("warehouse.queue_wait", "5s", "Longest time they wait for their turn."),
    setting(
        "warehouse.show_sql",
        "auto",
        "Show SQL in the catalogue and in provenance, to those from whom no policy hides a member; `auto` does over the demo, and where only programs of this machine are answered.",
    ),
    setting("warehouse.statement_timeout", "30s", "Longest time a statement may run."),
    setting("warehouse.max_rows", "1000000", "Rows of one statement at most."),
    setting(
        "warehouse.memory",
        "1GiB",
        "Memory for all statements that run at once in the embedded engine, beside the tables; one that needs more is refused.",
    ),
    setting("warehouse.ca_file", "", "PEM file of certificate authorities to trust beside the system's."),
    setting("cache.enabled", "true", "Keep answers for as long as their metrics allow."),
    setting("cache.max_bytes", "256MiB", "Memory for kept answers."),
    setting(
        "cache.compiled_bytes",
        "16MiB",
        "Memory for kept statements of each kind of question (metrics, entities, counts); 0 compiles every question anew.",
    ),
    setting("cache.default_ttl", "60s", "How long an answer is kept when its entities declare no freshness."),
    setting("cache.refresh_interval", "10s", "How often at most the refresh key of an entity is asked for."),
    setting("limits.tokens", "5000", "Tokens of a document at most."),
    setting("limits.recursion", "64", "Nesting the parser accepts."),
    setting("limits.depth", "12", "Levels of fields of an operation at most."),
    setting("limits.height", "300", "Fields of an operation at most, fragments expanded."),
    setting("limits.aliases", "30", "Aliases of an operation at most."),
    setting("limits.root_fields", "20", "Root fields of an operation at most."),
    setting("limits.directives", "50", "Directives of a document at most."),
    setting(
        "limits.introspection_fields",
        "1000",
        "Introspection fields of an operation at most; the limits above do not count them.",
    ),
    setting("limits.cost", "5000", "Units that one operation may cost."),
    setting("limits.budget", "5000000", "Units that a caller may spend at once; 0 lets everybody spend what they want."),
    setting("limits.budget_refill", "500000", "Units that come back to a caller each second."),
    setting("limits.show_cost", "false", "Tell in every answer what it cost, not only where the header `x-holdfast-cost` asks for it."),
    setting("limits.page", "50", "Entities of a page when the query does not say."),
    setting("limits.max_page", "200", "Entities of a page at most."),
    setting("limits.rows", "1000", "Rows of a metric answer when the query does not say."),
    setting("limits.max_rows", "50000", "Rows of a metric answer at most."),
    setting("limits.response_bytes", "10MiB", "Size of a response at most."),
    setting("limits.planning", "250ms", "Longest time from the document of a request to its statements, waiting not counted; with 0s only what was asked before is answered."),
    setting("limits.introspection", "true", "Answer `__schema` and `__type`."),
    setting("limits.inferred_grouping", "true", "Allow metric queries without `by`; group keys then follow from the selection."),
    setting(
        "limits.suggestions",
        "auto",
        "Suggest names that exist in errors about names that do not; without, errors hold no name that the request does not. `auto`: over the demo and on loopback only.",
    ),
    setting("limits.document_cache", "1000", "Validated documents kept."),
    setting("telemetry.log", "info", "Log filter, such as `info,holdfast_server=debug`.").flag("--log"),
    setting("telemetry.format", "auto", "`pretty`, `json`, or `auto`: pretty on a terminal, JSON otherwise."),
    setting(
        "telemetry.otlp_endpoint",
        "",
        "Send traces to this OpenTelemetry collector (OTLP over HTTP), such as `http://localhost:4318`.",
    ),
    setting("telemetry.service_name", "holdfast", "Name of this service in traces."),
];

/// The setting of that key.
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The table of the documentation.
pub fn markdown_table() -> String {
    let mut out = String::from("| setting | environment | flag | default | meaning |\n| --- | --- | --- | --- | --- |\n");
    for setting in SETTINGS {
        let default = if setting.default.is_empty() { String::from("none") } else { format!("`{}`", setting.default) };
        let flag = setting.flag.map_or_else(String::new, |flag| format!("`{flag}`"));
        out.push_str(&format!("| `{}` | `{}` | {flag} | {default} | {} |\n", setting.key, setting.variable(), setting.about));
    }
    out
}
