/** The release whose replies and errors this server gives. Clients decide by it what they may use. */
export const redisVersion = '7.0.15'
