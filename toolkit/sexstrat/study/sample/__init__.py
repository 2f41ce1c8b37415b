"""The sample the demo embeds: openly licensed photographs with their attribution."""
