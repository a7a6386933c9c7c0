/** The shapes of the API, named and nullable as its OpenAPI description has them. Instants are ISO 8601 in UTC. */
export {};
