// Starts GraphiQL against this server. No other host is contacted.
(function () {
  const send = async function (parameters, options) {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/graphql-response+json, application/json",
        ...(options && options.headers),
      },
      body: JSON.stringify(parameters),
    });
    return response.json();
  };
  const welcome = [
    "# Ctrl+Enter runs, Ctrl+Space completes;",
    "# the book on the left lists everything there is.",
    "# Credentials go under Headers: {\"authorization\": \"Bearer …\"}",
    "#",
    "# Retention by month:",
    "{",
    "  retention(by: [{ time: { grain: MONTH } }]) {",
    "    rows {",
    "      period(grain: MONTH) { label isComplete }",
    "      nrr",
    "      grr",
    "      contractionRate",
    "    }",
    "  }",
    "}",
    "",
  ].join("\n");
  const root = ReactDOM.createRoot(document.getElementById("console"));
  root.render(
    React.createElement(GraphiQL, {
      fetcher: send,
      defaultQuery: welcome,
      shouldPersistHeaders: false,
      isHeadersEditorEnabled: true,
    }),
  );
})();
