"""Role-based access control as it is and as it is used: who holds what, who could get more, what nobody ever used."""
