"""Fleets to look at: a gateway with a dozen customers, for pictures. Their jobs have names that one might meet."""

import threading

from harness import Gateway, eventually, parse_exposition

CUSTOMERS = {
    "acme": "Acme Corp", "aperture": "Aperture Labs", "cyberdyne": "Cyberdyne Parts", "dunder": "Dunder Paper",
    "globex": "Globex", "hooli": "Hooli Media", "initech": "Initech", "soylent": "Soylent Farms",
    "stark": "Stark Logistics", "tyrell": "Tyrell Optics", "umbrella": "Umbrella Foods", "wayne": "Wayne Estates",
}
DEMO = ("acme", "globex", "initech")


JOBS = ("ERP nightly", "CRM", "Payroll", "Intranet", "Warehouse", "Web shop", "Reporting", "Ticketing", "Archive", "Wiki")
API_TYPES = {"full": "database_full", "diff": "database_differential", "inc": "database_incremental",
             "log": "database_transaction_log", "folder": "folder"}

DATABASES = ("erp", "crm", "payroll", "intranet", "warehouse", "reports")  # of the simulator's generated jobs


def account_of(customer):
    """The simulator's name of a generated account."""
    return f"account-{list(CUSTOMERS).index(customer) + 1:04}"


def fleet(generated, demo=None, ttl=None, without_token=()):
    """A gateway for the customers: the demo's three at `demo`, the others at `generated` (API URLs)."""
    config = ('[server]\nlisten = ["127.0.0.1:0"]\n[history]\nkind = "memory"\n[upstream]\nrequests_per_second = 0\n'
              '[defaults]\ncache_ttl = "1h"\nrequests_per_second = 0\n')
    files = {}
    for number, (name, customer) in enumerate(CUSTOMERS.items()):
        is_demo = demo and name in DEMO
        config += f'[accounts.{name}]\napi_url = "{demo if is_demo else generated}"\n'
        config += f'token_env = "{name.upper()}_TOKEN"\n' if name in without_token else f'token_file = "tokens/{name}"\n'
        config += f'labels = {{ customer = "{customer}", tier = "{("gold", "silver")[number % 2]}" }}\n'
        if ttl and name in ttl:
            config += f'cache_ttl = "{ttl[name]}"\n'
        files[f"tokens/{name}"] = f"demo-token-{name}\n" if is_demo else f"token-{account_of(name)}\n"
    return Gateway(config, files=files)


def collect(gateway, customers):
    probes = [threading.Thread(target=gateway.get, args=(f"/probe?account={name}",)) for name in customers]
    for probe in probes:
        probe.start()
    for probe in probes:
        probe.join()


def heal(api):
    """Makes every generated customer's backups succeed."""
    for row in api.control("/accounts", method="GET").json():
        for server in row["servers"]:
            api.control(f"/server?account={row['name']}&server={server['name']}&status=online")
        for job, name in zip(row["jobs"], JOBS):
            api.control(f"/job?account={row['name']}&job={job['name']}&broken=off&stopped=off&enforces_retention=on"
                        f"&rename={name.replace(' ', '%20')}")
    with fleet(api.api_url) as gateway:
        collect(gateway, CUSTOMERS)
        for customer in CUSTOMERS:
            for job in gateway.get(f"/accounts/{customer}.json").json()["job_list"]:
                if job["state"] == "protected":
                    continue
                for kind in job["types"]:
                    add_run(api, customer, job["name"], kind["type"], "succeeded", "30m")
                for database in DATABASES if job["databases_failing"] else ():
                    add_run(api, customer, job["name"], "full", "succeeded", "20m", database=database)


def add_run(api, customer, job, kind, status, age, database=None):
    api.control(f"/run?account={account_of(customer)}&job={job.replace(' ', '%20')}&type={API_TYPES[kind]}"
                f"&status={status}&age={age}" + (f"&database={database}" if database else ""))


def until_not_collected(gateway, customer):
    eventually(f"{customer} not collected", lambda: parse_exposition(
        gateway.get(f"/probe?account={customer}").text())["probe_success"] == 0)
