// Draws the description of the API. A call is made with the token that is typed under "Authorize", and the token is
// forgotten with the page; no cookie opens a call.
const drawn = document.getElementById("api-reference");
SwaggerUIBundle({
  domNode: drawn,
  url: drawn.dataset.document,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  deepLinking: true,
  persistAuthorization: false,
  syntaxHighlight: false,
  validatorUrl: null,
  // A page has one main part, and it is the one around this.
  onComplete() {
    drawn.querySelector("main").setAttribute("role", "presentation");
  },
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
