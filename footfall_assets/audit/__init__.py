"""Ground-truth audits: a sample of pairs, blind answers, the estimate that follows, the threshold they speak for."""
