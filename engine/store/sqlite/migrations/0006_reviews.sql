-- The review list by rule: officers see the most urgent first, and how many there are of each; and by either patient.
DROP INDEX reviews_state;
CREATE INDEX reviews_rule ON reviews (rule, state);
CREATE INDEX reviews_high ON reviews (high);
