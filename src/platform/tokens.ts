import type { Config } from '../config.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { Database } from './database.js';
import type { Logger as PinoLogger } from './logger.js';

/** Injection tokens of what has no class to name it; the types say what is behind each. */
export const CONFIG = Symbol('Config');
export type CONFIG = Config;

export const DATABASE = Symbol('Database');
export type DATABASE = Database;

export const OBJECT_STORE = Symbol('ObjectStore');
export type OBJECT_STORE = ObjectStore;

export const LOGGER = Symbol('Logger');
export type LOGGER = PinoLogger;
