// Draws the description of the API. A call is made with the token that is typed under "Authorize", and the token is
// forgotten with the page; no cookie opens a call.
const drawn = document.getElementById("api-reference");

// The parts of Swagger UI that fit into a page of ours: it has its own title and main part, a button holds no link, and
// what has no name gets one.
const ours = ({ React: { createElement: element } }) => ({
  components: {
    Calls({ getComponent, specSelectors }) {
      const part = (name, about) => element(getComponent(name, true), about);
      const about = { source: specSelectors.info().get("description") };
      return element(
        "div",
        { className: "swagger-ui" },
        part("errors"),
        part("Markdown", about),
        part("AuthorizeBtnContainer"),
        part("operations"),
      );
    },
  },
  wrapComponents: {
    DeepLink: () => ({ text }) => element("span", null, text),
    CloseIcon: () => () => element("span", null, "Close"),
    // Its table of answers is a region, and each region needs a name of its own.
    responses: (Responses) => (props) => {
      const label = `Responses of ${props.method} ${props.path}`;
      const name = (part) => part?.querySelector("[role=region]")?.setAttribute("aria-label", label);
      return element("div", { ref: name }, element(Responses, props));
    },
  },
});

SwaggerUIBundle({
  domNode: drawn,
  url: drawn.dataset.document,
  plugins: [ours],
  layout: "Calls",
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  deepLinking: true,
  persistAuthorization: false,
  syntaxHighlight: false,
  validatorUrl: null,
  requestInterceptor(request) {
    const own = new URL(request.url, location.href).pathname === drawn.dataset.document;
    return Object.assign(request, { credentials: own ? "same-origin" : "omit" });
  },
  // An answer is a file to a browser that opens its address; here it is shown.
  responseInterceptor(response) {
    delete response.headers["content-disposition"];
    return response;
  },
});
