"""A consistent maximum likelihood that climbs levels until it collapses."""
