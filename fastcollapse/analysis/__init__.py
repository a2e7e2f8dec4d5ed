"""Results beside theory: panels by family, tables, reports and figures."""
