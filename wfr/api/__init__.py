"""What others read of us: public JSON, embeds, oEmbed, feeds and a calendar."""
