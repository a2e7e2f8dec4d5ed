"""The front door: experiments, plans, runs, results and replay."""
