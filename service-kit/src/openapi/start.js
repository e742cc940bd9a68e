// Nothing is kept: a token that was typed in is gone when the page is closed.
const ui = SwaggerUIBundle({
  dom_id: '#page',
  url: new URL('openapi.json', document.baseURI).href,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
});
