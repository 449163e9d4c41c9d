#!/bin/sh
# Run once by the image of PostgreSQL in an empty database: the portal's role and databases, as ./portal makes them.
# No superuser, because a superuser passes by row-level security.
set -eu
psql -v ON_ERROR_STOP=1 --username postgres <<'SQL'
\getenv password PORTAL_DB_PASSWORD
create role portal login createrole password :'password';
create database demo owner portal;
create database portal owner portal;
SQL
