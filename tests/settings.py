"""Settings that shops of tests begin with: e-mail and push, one sender, one topic. More topics may come right behind."""

TWO_CHANNELS = """\
project: shop
time_zone: Europe/Vienna
locales: [en]
public_url: https://go.shop.example
stores: {ledger: "sqlite:data/ledger.db", audience: "duckdb:data/audience.duckdb"}
providers:
  mail: {adapter: smtp, host: 127.0.0.1, port: 1, security: none}
  app: {adapter: webhook, url: "https://hooks.shop.example/push", secret: "${env:HOOK_SECRET}"}
route: {email: [mail], push: [app]}
senders:
  offers: {from: Shop <hello@shop.example>, postal: "Ring 1, 1010 Wien"}
topics:
  offers: {label: Offers, consent: opt_in}
"""
