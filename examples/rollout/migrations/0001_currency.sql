-- Version 1.5.0 keeps the currency of an order. 1.4.1 does not know the column, and goes on without it.
-- migrate:up
ALTER TABLE orders ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR';

-- migrate:down
ALTER TABLE orders DROP COLUMN currency;
