"""udata, the software of data.gouv.fr, as a target: what is wanted there, the plan, its application, the client."""
