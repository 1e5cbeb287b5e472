package housecarl

permitted contains purpose if {
	not off
	some purpose in data.items[input.item].uses
	not purpose in input.person.refused
	not purpose in input.person.restricted
	says := data.purposes[purpose]
	says.open
	input.now < says.ends
	within(says)
	told(purpose, says)
	started(says)
	not refused_access(purpose, says)
	not unanswered_access(purpose, says)
	not unwanted(says)
	not unasked(purpose, says)
	not off_for_child(purpose, says)
	not unauthorised(purpose, says)
}

# What is restricted is kept, whatever else was said.
permitted contains purpose if {
	input.act == "keep"
	some purpose in data.items[input.item].uses
	purpose in input.person.restricted
}

off if {
	input.act != "keep"
	input.person.precision[input.item] in data.items[input.item].off
}

within(_) if input.act == "collect"

within(says) if input.age < says.keep

told(purpose, _) if purpose in input.person.told

told(_, says) if says.vital

started(says) if count(says.features) == 0

started(says) if {
	some feature in says.features
	feature in input.device.features
}

refused_access(purpose, says) if {
	says.asks
	purpose in input.device.refused
}

unanswered_access(purpose, says) if {
	says.asks_consent
	not purpose in input.device.agreed
}

unwanted(says) if {
	says.marketing
	input.person.no_marketing
}

unasked(purpose, says) if {
	says.consent
	not purpose in input.person.agreed
}

off_for_child(purpose, says) if {
	input.person.child
	not says.core
	not purpose in input.person.agreed
}

unauthorised(purpose, says) if {
	input.person.young
	consent_or_choice(says)
	not purpose in input.person.authorised
}

consent_or_choice(says) if says.consent

consent_or_choice(says) if not says.core
