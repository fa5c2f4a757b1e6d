// Start Swagger UI with our document. Without `validatorUrl: null` it would send the address to a public validator.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
