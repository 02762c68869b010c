// Every word of the console in Chinese and English, and how amounts, days and times are written.

const WORDS = {
  // --- the shell
  login: ["登录", "Log in"], username: ["用户名", "User name"], password: ["密码", "Password"], logout: ["退出", "Log out"], close: ["关闭", "Close"],
  tagline: ["汽车经销商集团管理", "For car dealer groups"], language: ["English", "中文"], offline: ["无法连接服务器", "The server cannot be reached"],
  change_title: ["首次登录，请修改密码", "First login: choose a password of your own"], current: ["当前密码", "Current password"],
  chosen: ["新密码（至少 8 位）", "New password (8 characters or more)"], change: ["修改密码", "Change the password"],
  demo_title: ["演示环境登录名", "Logins of the demo"], demo_hint: ["密码显示在运行 make demo 的终端里；点击填入用户名。", "The password is shown in the terminal that runs make demo; click to fill in the name."],
  live: ["实时", "Live"], waiting: ["连接中…", "Connecting…"], all: ["全部", "All"], nothing: ["暂无数据", "Nothing here"], more: ["更多", "More"], save: ["保存", "Save"],
  show: ["查看", "Show"], done: ["已完成", "Done"], note: ["备注", "Note"], reason: ["原因", "Reason"], store: ["门店", "Store"], status: ["状态", "Status"], since: ["自", "Since"], until: ["至（不含）", "Until (not included)"],
  me: ["我", "Me"], colleague: ["同事", "A colleague"], events: ["背后的事件", "The events behind it"], everywhere: ["全部门店", "All stores"],
  role_next: ["下一步由以下角色完成：{role}", "The next step is for: {role}"], welcome: ["您的角色暂无页面。", "There is no page for your role yet."],
  // --- pages
  pipeline: ["线索", "Pipeline"], opportunities: ["商机", "Opportunities"], orders: ["订单", "Orders"], stock: ["库存", "Stock"], reports: ["报表", "Reports"],
  // --- leads
  capture: ["录入线索", "Capture a lead"], name: ["姓名", "Name"], phone: ["手机号", "Phone"], brand: ["品牌", "Brand"], series: ["车系", "Series"], channel: ["渠道", "Channel"],
  intent: ["意向", "Intent"], within_days: ["计划几天内购车", "Wants to buy within (days)"], budget: ["预算（元）", "Budget (CNY)"], comments: ["客户留言", "What the customer says"],
  grade: ["评级", "Grade"], seller: ["销售顾问", "Consultant"], left: ["剩余 {time}", "{time} left"],
  late: ["超时 {time}", "{time} late"], next_contact: ["下次联系", "Next contact"], explanation: ["分配依据", "Why this consultant"], touches: ["触点数", "Touches"],
  follow_up: ["记录跟进", "Record a contact"], kind: ["方式", "Kind"], said: ["沟通内容", "What was said"], plan: ["下一步计划", "Plan"], convert: ["转为商机", "Convert"],
  disqualify: ["无效/战败", "Disqualify"], assign: ["分配", "Assign"], by_rule: ["按规则自动分配", "By the rule"], open_opportunity: ["打开商机", "Open the opportunity"],
  not_mine: ["由{name}负责；销售经理可以改派。", "{name} looks after this lead; a sales manager may assign it to somebody else."], captured: ["已录入", "Captured"], converted_to: ["已转为商机", "Converted"], reached_sla: ["首次联系达标", "First contact in time"],
  // --- opportunities and orders
  customer: ["客户", "Customer"], stage: ["阶段", "Stage"], move_to: ["推进到", "Move to"], order_car: ["选现车下单", "Order a car from stock"], car: ["车辆", "Car"], price: ["成交价（元）", "Price (CNY)"],
  down_payment: ["首付（元）", "Down payment (CNY)"], order: ["订单", "Order"], number: ["编号", "Number"], paid: ["已付", "Paid"], to_pay: ["待付", "To pay"], list_price: ["指导价", "List price"], vehicle: ["车辆状态", "Car is"],
  submit: ["提交审批", "Submit for approval"], approve: ["审批通过", "Approve"], sign: ["签订合同", "Sign the contract"], signer: ["签署人", "Signed by"], earnest: ["定金（元，至多 20%）", "Earnest money (CNY, at most 20 %)"],
  receipt: ["收款", "Take money"], receipt_kind: ["款项", "Kind"], method: ["支付方式", "Method"], amount: ["金额（元）", "Amount (CNY)"], invoice: ["开具机动车发票", "Issue the invoice"], invoice_number: ["发票号", "Invoice"],
  checklist: ["交车检查", "Hand-over checklist"], deliver: ["交车", "Hand over"], cancel: ["取消订单", "Cancel the order"], contract: ["合同 PDF", "Contract PDF"], asked: ["正在锁定车辆…", "The car is being reserved …"], not_asked: ["未锁定", "Not asked for yet"],
  ask_again: ["重新锁车", "Ask for the car again"], car_elsewhere: ["车辆在 {store}，需先调拨到店。", "The car is at {store}: it has to be transferred first."], no_car: ["没有可售现车", "No car of this series in stock"], placed: ["订单已建立", "The order is placed"],
  invoice_first: ["待开发票", "The invoice is missing"], unpaid: ["尾款未付清", "The balance is unpaid"],
  // --- stock
  vin: ["车架号", "VIN"], model: ["车型", "Model"], age: ["库龄（天）", "Age (days)"], certificate: ["合格证", "Certificate"], cost: ["账面成本", "Book cost"], category: ["类别", "Category"], held_until: ["保留至", "Held until"],
  reserve: ["预订 24 小时", "Reserve for a day"], release: ["释放", "Release"], transfer: ["申请调拨", "Ask for a transfer"], to_store: ["调入门店", "To store"], transfers: ["调拨", "Transfers"], from: ["从", "From"], to: ["到", "To"],
  dispatch: ["发车", "Dispatch"], carrier: ["承运商", "Carrier"], receive: ["收车", "Receive"], transport: ["运费（元）", "Transport (CNY)"], reserved: ["已预订", "Reserved"], acquired_on: ["入库日期", "Acquired on"],
  // --- reports
  funnel: ["销售漏斗", "Funnel"], turnover: ["库存周转", "Turnover"], profit: ["毛利", "Profit"], as_of: ["截至时刻", "As of"], by: ["维度", "By"], total: ["合计", "Total"], complete_to: ["数据完整至 {time}", "Complete to {time}"],
  incomplete: ["数据尚不完整", "Not complete yet"], reached: ["到达", "Reached"], open: ["当前在此", "Open now"], conversion: ["转化率", "Conversion"], dwell: ["停留中位数", "Median dwell"], turnover_rate: ["年周转次数", "Turns a year"], days_of_stock: ["库存天数", "Days of stock"],
  coefficient: ["库存系数", "Stock coefficient"], stock_value: ["库存金额", "Stock at cost"], sold: ["期内售出", "Sold in the period"], units: ["台数", "Cars"], ages: ["库龄结构", "Age of stock"], oldest: ["最长库龄", "Oldest cars"], days: ["{from}–{to} 天", "{from}–{to} days"],
  days_over: ["{from} 天以上", "{from} days and more"], revenue: ["收入（不含税）", "Revenue (net)"], carrying: ["仓储与利息", "Storage, interest"], late_cost: ["后补成本", "Late cost"], at_deal: ["成交时毛利", "Gross at deal"], now: ["当前毛利", "Gross now"], margin: ["毛利率", "Margin"],
  leads_there: ["到达该阶段的线索", "Leads that reached this stage"], actor: ["操作人", "By"],
};

const CODES = {
  unplaced: ["未定门店", "No store"], new: ["新", "New"], queued: ["待分配", "Queued"], assigned: ["待联系", "To contact"], contacted: ["已联系", "Contacted"], converted: ["已转商机", "Converted"], disqualified: ["已关闭", "Closed"],
  "walk-in": ["到店", "Walk-in"], phone: ["电话", "Phone"], website: ["官网", "Website"], "mini-program": ["小程序", "Mini program"], "auto-show": ["车展", "Auto show"], ad: ["广告", "Advert"], social: ["社交媒体", "Social"],
  "third-party": ["垂直网站", "Portal"], referral: ["转介绍", "Referral"], campaign: ["活动", "Campaign"], partner: ["合作方", "Partner"],
  order: ["要下单", "To order"], buy: ["要购买", "To buy"], "test-drive": ["试驾", "Test drive"], compare: ["对比中", "Comparing"], browse: ["随便看看", "Browsing"],
  visit: ["到店", "Visit"], wechat: ["微信", "WeChat"], sms: ["短信", "SMS"], email: ["邮件", "E-mail"],
  "not-reached": ["联系不上", "Not reached"], "not-now": ["暂不购买", "Not now"], "no-budget": ["预算不足", "No budget"], "bought-elsewhere": ["已购他处", "Bought elsewhere"], "wrong-data": ["信息错误", "Wrong data"], duplicate: ["重复", "Duplicate"], "no-interest": ["无意向", "No interest"], spam: ["垃圾信息", "Spam"],
  captured: ["录入", "Captured"], "first-contact": ["初步接触", "First contact"], needs: ["需求分析", "Needs"], presentation: ["产品介绍", "Presentation"], quote: ["报价", "Quote"], negotiation: ["谈判", "Negotiation"], won: ["成交", "Won"], lost: ["战败", "Lost"], "after-sales-care": ["售后关怀", "Care"],
  placed: ["已建单", "Placed"], submitted: ["待审批", "Submitted"], approved: ["已审批", "Approved"], signed: ["已签约", "Signed"], delivered: ["已交车", "Delivered"], cancelled: ["已取消", "Cancelled"],
  none: ["无", "None"], asked: ["锁定中", "Asked for"], held: ["已锁定", "Held"], missing: ["车源缺失", "Missing"],
  "in-stock": ["在库", "In stock"], reserved: ["已预订", "Reserved"], "in-transit": ["在途", "In transit"], sold: ["已售", "Sold"], used: ["二手车", "Used"], demo: ["试驾车", "Demo"],
  "with-us": ["在手", "With us"], pledged: ["质押中", "Pledged"], redeemed: ["已赎回", "Redeemed"],
  requested: ["待审批", "Requested"], dispatching: ["发车中", "Dispatching"], dispatched: ["在途", "On the road"], received: ["已收车", "Received"], discrepancy: ["有差异", "Discrepancy"],
  earnest: ["定金", "Earnest money"], prepayment: ["订金", "Prepayment"], "down-payment": ["首付", "Down payment"], balance: ["尾款", "Balance"], cash: ["现金", "Cash"], card: ["刷卡", "Card"], transfer: ["转账", "Bank transfer"], alipay: ["支付宝", "Alipay"], loan: ["贷款", "Loan"],
  exterior: ["外观", "Exterior"], interior: ["内饰", "Interior"], keys: ["钥匙", "Keys"], manual: ["说明书", "Manual"], certificate: ["合格证", "Certificate"], invoice: ["发票", "Invoice"],
  "sales-consultant": ["销售顾问", "Sales consultant"], "sales-manager": ["销售经理", "Sales manager"], "stock-clerk": ["库管", "Stock clerk"], finance: ["财务", "Finance"], "service-adviser": ["服务顾问", "Service adviser"], marketing: ["市场", "Marketing"], "regional-manager": ["大区经理", "Regional manager"], "group-owner": ["集团", "Group owner"], administrator: ["管理员", "Administrator"],
  channel: ["渠道", "Channel"], brand: ["品牌", "Brand"], series: ["车系", "Series"], store: ["门店", "Store"], grade: ["评级", "Grade"], seller: ["销售顾问", "Consultant"], month: ["月份", "Month"], vin: ["车辆", "Car"], trim: ["车型", "Model"],
  rule: ["规则", "Rule"], "lowest-load": ["负荷最低", "Lowest load"], "existing-relationship": ["已有关系", "Existing relationship"], "nobody-eligible": ["无合适人选", "Nobody eligible"], "no-candidates": ["无候选人", "No candidates"],
};

const LANGUAGES = ["zh", "en"];
let chosen = LANGUAGES.includes(localStorage.getItem("forecourt.language")) ? localStorage.getItem("forecourt.language")
  : navigator.language.startsWith("zh") ? "zh" : "en";

export const current = () => chosen;

export function switchLanguage() {
  chosen = chosen === "zh" ? "en" : "zh";
  localStorage.setItem("forecourt.language", chosen);
}

const pick = (pair) => pair[LANGUAGES.indexOf(chosen)];
const locale = () => (chosen === "zh" ? "zh-CN" : "en-GB");

/** A text by its name, with `{places}` filled. */
export const t = (name, values = {}) => pick(WORDS[name]).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

/** A code of the API as people say it; unknown ones as they are. */
export const word = (code) => (CODES[code] ? pick(CODES[code]) : code ?? "");
export const words = (...codes) => codes.map((code) => [code, word(code)]);

// Browsers write these as custom has it; ISO 4217 and the API do not.
const DECIMALS = { HUF: 2, IDR: 2, IQD: 3 };
const decimals = (currency) => DECIMALS[currency] ?? new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;

/** An amount of the API, in whole units unless it is to be exact. */
export function money(amount, exact = false) {
  if (!amount) return "";
  const { currency } = amount;
  const digits = exact ? decimals(currency) : 0;
  const format = { style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale(), format).format(Number(amount.amount));
}

/** An amount of an event: whole minor units of its currency. */
export const inMinor = ({ minor, currency }) => money({ amount: minor / 10 ** decimals(currency), currency }, true);
export const count = (number) => new Intl.NumberFormat(locale()).format(number);
export const percent = (part) => (Number.isFinite(part) ? new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(part) : "–");

/** A day of the calendar, the same wherever it is read. */
export const day = (text) => (text ? new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: "UTC" }).format(new Date(text)) : "");
export const moment = (text) => (text ? new Intl.DateTimeFormat(locale(), { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(new Date(text)) : "");

/** Which day it is in a time zone, or was so many days ago, as the API writes it. */
export const today = (timeZone, back = 0) => new Date(Date.now() - back * 86_400_000).toLocaleDateString("sv", { timeZone });
export const daysSince = (since, timeZone) => (Date.parse(today(timeZone)) - Date.parse(since)) / 86_400_000;

/** Seconds as the largest unit that fits. */
export function span(seconds) {
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? units[3];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "short" }).format(Math.floor(seconds / size));
}

/** Yuan typed by a person as the API wants them; undefined when nothing was typed. */
export function yuan(text) {
  const clean = String(text ?? "").replace(/[,，\s¥]/g, "");
  if (clean === "") return undefined;
  const [whole, cents = ""] = clean.split(".");
  return { amount: `${whole}.${cents.padEnd(2, "0")}`, currency: "CNY" };
}
