"""The chart of accounts: the PRC standard for enterprises as default data."""

from typing import Literal

from shared.decider import Rejected, message


@message
class LedgerAccount:
    """`control` accounts are the sum of a sub-ledger (orders, cars, payables) and take no manual entry."""

    number: str
    name_zh: str
    name_en: str
    type: Literal["asset", "liability", "income", "expense"]
    control: bool = False


CASH = "1001"
BANK = "1002"
WALLETS = "1012"
RECEIVABLES = "1122"
IN_TRANSIT = "1402"
STOCK = "1405"
PAYABLES = "2202"
CONTRACT_LIABILITIES = "2204"
VAT_INPUT = "2221-input"
VAT_OUTPUT = "2221-output"
VAT_PENDING = "2221-pending"
OTHER_PAYABLES = "2241"
REVENUE = "6001"
OTHER_INCOME = "6051"
COST_OF_SALES = "6401"
SELLING_EXPENSES = "6601"

CHART = {
    account.number: account
    for account in (
        LedgerAccount(number=CASH, name_zh="库存现金", name_en="Cash on hand", type="asset"),
        LedgerAccount(number=BANK, name_zh="银行存款", name_en="Bank deposits", type="asset"),
        LedgerAccount(number=WALLETS, name_zh="其他货币资金", name_en="WeChat Pay and Alipay balances", type="asset"),
        LedgerAccount(number=RECEIVABLES, name_zh="应收账款", name_en="Accounts receivable", type="asset", control=True),
        LedgerAccount(number=IN_TRANSIT, name_zh="在途物资", name_en="Goods in transit", type="asset", control=True),
        LedgerAccount(number=STOCK, name_zh="库存商品", name_en="Stock of vehicles", type="asset", control=True),
        LedgerAccount(number=PAYABLES, name_zh="应付账款", name_en="Accounts payable", type="liability", control=True),
        LedgerAccount(number=CONTRACT_LIABILITIES, name_zh="合同负债", name_en="Contract liabilities", type="liability", control=True),
        LedgerAccount(number="2211", name_zh="应付职工薪酬", name_en="Wages payable", type="liability"),
        LedgerAccount(number="2221", name_zh="应交税费", name_en="Taxes payable", type="liability"),
        LedgerAccount(number=VAT_INPUT, name_zh="应交税费-进项税额", name_en="Input VAT", type="liability"),
        LedgerAccount(number=VAT_OUTPUT, name_zh="应交税费-销项税额", name_en="Output VAT", type="liability"),
        LedgerAccount(number=VAT_PENDING, name_zh="应交税费-待转销项税额", name_en="Pending output VAT", type="liability", control=True),
        LedgerAccount(number=OTHER_PAYABLES, name_zh="其他应付款", name_en="Other payables", type="liability"),
        LedgerAccount(number=REVENUE, name_zh="主营业务收入", name_en="Revenue", type="income"),
        LedgerAccount(number=OTHER_INCOME, name_zh="其他业务收入", name_en="Other income", type="income"),
        LedgerAccount(number=COST_OF_SALES, name_zh="主营业务成本", name_en="Cost of sales", type="expense"),
        LedgerAccount(number=SELLING_EXPENSES, name_zh="销售费用", name_en="Selling expenses", type="expense"),
        LedgerAccount(number="6602", name_zh="管理费用", name_en="Administrative expenses", type="expense"),
        LedgerAccount(number="6603", name_zh="财务费用", name_en="Financial expenses", type="expense"),
    )
}

MONEY_ACCOUNTS = {"cash": CASH, "card": BANK, "transfer": BANK, "loan": BANK, "wechat": WALLETS, "alipay": WALLETS}
"""Where the money of each payment method lies; a loan arrives from the lender's bank."""


def money_account(method: str) -> str:
    """The ledger account of a payment method. Rejected `unknown-method`."""
    if method not in MONEY_ACCOUNTS:
        raise Rejected("unknown-method", f"Money is taken as one of {', '.join(MONEY_ACCOUNTS)}.")
    return MONEY_ACCOUNTS[method]
