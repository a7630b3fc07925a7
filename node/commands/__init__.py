"""One module per subcommand of `tianlu`, and the one table of them all.

A module has `NAME`, `HELP = {"en": …, "zh": …}`, `arguments(parser)` and `async run(context, args) -> exit code`; and
`ALLOW`, by action, where one of its actions takes another permission than the rest.
An argument whose `dest` is a setting's dotted key (`dest="web.port"`) overrides that setting.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.access.policy import Actor, Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A subcommand as `tianlu --help` lists it; its module `node.commands.<name>` is imported when it is chosen."""

    en: str
    zh: str
    allow: Permission  # what its actions take unless the module says otherwise of one of them (`ALLOW`)
    within: bool = False  # it asks itself for the reach of whoever gives it; else it takes the permission everywhere
    free: bool = False  # nobody is asked, also where duties are separate: it makes or starts a node, or shows how it is
    home: bool = True  # needs a node in the home folder, and settings without a fault
    serves: bool = False  # stays up: logs from `log.level`, not only warnings

    def permits(self, actor: Actor, permission: Permission) -> bool:
        """Whether this actor may give it, if what is asked for takes this permission."""
        reach = actor.reach(permission)
        return self.free or reach.everywhere or (self.within and bool(reach.libraries))


COMMANDS: dict[str, Command] = {
    "init": Command(
        en="make a new node in the home folder",
        zh="在主目录中建立新节点",
        allow=Permission.OPERATE,
        free=True,
        home=False,
    ),
    "run": Command(
        en="run the node until it is stopped",
        zh="运行节点，直到停止",
        allow=Permission.OPERATE,
        free=True,
        serves=True,
    ),
    "load": Command(
        en="load records from files or standard input",
        zh="从文件或标准输入装载记录",
        allow=Permission.LOAD,
    ),
    "check": Command(
        en="check records by the rules, and mend them, without loading them",
        zh="按规则校验并修复记录，不装载",
        allow=Permission.READ,
        free=True,
        home=False,
    ),
    "convert": Command(
        en="convert records to another format, dialect and encoding, with a report of what is lost",
        zh="转换记录的格式、方言与编码，并报告损失",
        allow=Permission.READ,
        free=True,
        home=False,
    ),
    "loads": Command(en="list, show or undo loads", zh="列出、查看或撤销装载", allow=Permission.LOAD),
    "profile": Command(
        en="choose by which rules records are judged and mended",
        zh="选择校验与修正记录所用的规则方案",
        allow=Permission.LIBRARY,
    ),
    "quality": Command(
        en="report how good the records of each source are, by month",
        zh="按数据源和月份报告记录质量",
        allow=Permission.LOOK,
    ),
    "source": Command(en="add and manage sources of records", zh="添加和管理数据源", allow=Permission.LIBRARY),
    "library": Command(en="add and manage libraries of the directory", zh="添加和管理成员馆", allow=Permission.LIBRARY),
    "target": Command(
        en="add and manage other catalogues that records are copied from",
        zh="添加和管理套录目标",
        allow=Permission.OPERATE,
    ),
    "copy": Command(
        en="copy the best record of other catalogues into the library's own",
        zh="从其他目录套录最佳记录",
        allow=Permission.COPY,
        within=True,
    ),
    "submission": Command(
        en="hand in single records, and review them",
        zh="提交和审核单条记录",
        allow=Permission.SUBMIT,
        within=True,
    ),
    "reservation": Command(
        en="reserve what the library is about to catalogue",
        zh="预约编目",
        allow=Permission.SUBMIT,
        within=True,
    ),
    "correct": Command(
        en="correct a merged record, and offer the same to those who sent it",
        zh="更正合并记录，并提交给送来该记录的节点",
        allow=Permission.CHANGE,
    ),
    "cluster": Command(
        en="see why records are one, and split, join or link them",
        zh="查看聚合理由，拆分、合并或关联记录",
        allow=Permission.CHANGE,
    ),
    "batch": Command(
        en="change many records at once, after looking at it; take it back",
        zh="批量修改记录：先预览，后执行，可撤销",
        allow=Permission.CHANGE,
        within=True,
    ),
    "review": Command(en="decide on corrections that are offered", zh="处理收到的更正", allow=Permission.CHANGE),
    "user": Command(en="make and manage accounts", zh="建立和管理账户", allow=Permission.ACCOUNTS, within=True),
    "key": Command(
        en="make and manage keys for programs", zh="建立和管理程序密钥", allow=Permission.ACCOUNTS, within=True
    ),
    "audit": Command(en="read, verify and export the audit log", zh="查看、校验和导出审计日志", allow=Permission.AUDIT),
    "search": Command(en="search the catalogue", zh="检索目录", allow=Permission.READ),
    "show": Command(en="show a merged record or a source record", zh="显示合并记录或源记录", allow=Permission.READ),
    "explain": Command(
        en="say why a record is visible or not",
        zh="说明某条记录为何可见或不可见",
        allow=Permission.LOOK,
    ),
    "export": Command(en="write out records, holdings or clusters", zh="导出记录、馆藏或聚簇", allow=Permission.READ),
    "status": Command(
        en="show what the node holds and is doing",
        zh="显示节点的内容和当前工作",
        allow=Permission.OPERATE,
    ),
    "doctor": Command(
        en="check this machine and node, and say what to do",
        zh="检查本机和节点，并给出处理办法",
        allow=Permission.OPERATE,
        free=True,
        home=False,
    ),
    "config": Command(
        en="show or check the settings", zh="显示或检查设置", allow=Permission.OPERATE, free=True, home=False
    ),
    "quarantine": Command(
        en="look after records that could not be read",
        zh="处理无法读取的隔离记录",
        allow=Permission.LOOK,
    ),
    "invite": Command(
        en="print a code with which a library's node joins this one",
        zh="生成成员馆加入本节点的邀请码",
        allow=Permission.OPERATE,
    ),
    "join": Command(
        en="join a parent with the code that it gave out",
        zh="用邀请码加入上级节点",
        allow=Permission.OPERATE,
    ),
    "reconcile": Command(
        en="prove that a parent and this node have told each other the same",
        zh="核对与上级节点互相传递的内容是否一致",
        allow=Permission.OPERATE,
    ),
    "peer": Command(
        en="list, suspend or revoke other nodes; change this node's key",
        zh="列出、暂停或吊销其他节点；更换本节点密钥",
        allow=Permission.OPERATE,
    ),
    "handover": Command(
        en="hand a library over to another node, and see how far it is",
        zh="移交成员馆的托管节点，查看进度",
        allow=Permission.OPERATE,
    ),
    "demo": Command(
        en="try it out: a network of four nodes",
        zh="演示：四个节点组成的网络",
        allow=Permission.READ,
        free=True,
        home=False,
    ),
}
