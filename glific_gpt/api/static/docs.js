// Starts Swagger UI on our own document; without validatorUrl it would ask a server of somebody else.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
